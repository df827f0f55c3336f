"""The ServiceAccount admission plug-in's volume: a pod's token, the cluster's authority and the namespace's name."""

from __future__ import annotations

import random
from typing import Any

Json = dict[str, Any]

_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def mount_token(spec: Json) -> None:
    """Mount the volume into every container that has nothing at that path yet."""
    containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    without = [each for each in containers if all(m["mountPath"] != _PATH for m in each.get("volumeMounts", ()))]
    if not without:
        return
    name = "kube-api-access-" + "".join(random.choices(_LETTERS, k=5))
    spec.setdefault("volumes", []).append({"name": name, "projected": _projection()})
    for container in without:
        mount = {"name": name, "readOnly": True, "mountPath": _PATH}
        container.setdefault("volumeMounts", []).append(mount)


def _projection() -> Json:
    return {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                    ]
                }
            },
        ],
    }
