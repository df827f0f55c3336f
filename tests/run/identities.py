"""Others than the lab's administrator: a kubeconfig for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from conformance.cluster.connection import connect
from conformance.lab.launch.start import Lab

RBAC = "rbac.authorization.k8s.io"


def kubeconfig(path: Path, lab: Lab, **user: str) -> str:
    """The lab's kubeconfig with another user."""
    content = yaml.safe_load(lab.kubeconfig.read_text())
    content["users"] = [{"name": u["name"], "user": user} for u in content["users"]]
    path.write_text(yaml.safe_dump(content))
    return str(path)


def permitted(path: Path, lab: Lab, name: str, rules: list[dict[str, Any]]) -> str:
    """A kubeconfig at ``path`` of a new service account that may do what ``rules`` say."""
    account = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    made: dict[str, dict[str, Any]] = {
        "/api/v1/namespaces/default/serviceaccounts": {"kind": "ServiceAccount"},
        f"/apis/{RBAC}/v1/clusterroles": {"kind": "ClusterRole", "rules": rules},
        f"/apis/{RBAC}/v1/clusterrolebindings": {"kind": "ClusterRoleBinding", "roleRef": role, "subjects": [account]},
    }
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600},
    }
    cluster = connect(lab.kubeconfig)
    try:
        for there, body in made.items():
            version = "v1" if there.startswith("/api/") else f"{RBAC}/v1"
            cluster.create(there, {"apiVersion": version, "metadata": {"name": name}, **body})
        answer = cluster.create(f"/api/v1/namespaces/default/serviceaccounts/{name}/token", request)
    finally:
        cluster.close()
    return kubeconfig(path, lab, token=answer["status"]["token"])
