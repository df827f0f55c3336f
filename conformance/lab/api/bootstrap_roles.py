"""The default ClusterRoles and their bindings, as far as a lab needs them; the aggregated ones are coarse."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_CORE = ["configmaps", "endpoints", "pods", "services"]
_APPS = ["daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale"]
_NETWORK = ["networkpolicies"]
_EXTRA = ["bindings", "events", "namespaces", "pods/log", "pods/status", "services/status", "serviceaccounts"]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz"]
_HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"]


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Json:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _paths(paths: list[str]) -> Json:
    return {"nonResourceURLs": paths, "verbs": ["get"]}


def _role(name: str, *rules: Json) -> Json:
    return {"metadata": {"name": name, "labels": dict(_LABELS)}, "rules": list(rules)}


def _binding(name: str, role: str, *groups: str, users: tuple[str, ...] = ()) -> Json:
    subjects = [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": group} for group in groups]
    subjects += [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user} for user in users]
    return {
        "metadata": {"name": name, "labels": dict(_LABELS)},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": subjects,
    }


_VIEW = (
    _rule([""], _CORE + _EXTRA, _READ),
    _rule(["apps"], _APPS, _READ),
    _rule(["discovery.k8s.io"], ["endpointslices"], _READ),
    _rule(["networking.k8s.io"], _NETWORK, _READ),
)
_EDIT = (
    *_VIEW,
    _rule([""], ["pods/attach", "pods/exec", "secrets"], _READ),
    _rule(
        [""],
        [*_CORE, "events", "pods/attach", "pods/eviction", "pods/exec", "secrets", "serviceaccounts"],
        _WRITE,
    ),
    _rule([""], ["serviceaccounts/token"], ["create"]),
    _rule(["apps"], _APPS, _WRITE),
    _rule(["networking.k8s.io"], _NETWORK, _WRITE),
    _rule(["coordination.k8s.io"], ["leases"], _READ + _WRITE),
)
_NODE = (
    _rule([""], ["configmaps", "endpoints", "nodes", "pods", "secrets", "serviceaccounts", "services"], _READ),
    _rule([""], ["nodes", "nodes/status"], ["create", "get", "patch", "update"]),
    _rule([""], ["pods"], ["create", "delete"]),
    _rule([""], ["pods/status"], ["patch", "update"]),
    _rule([""], ["pods/eviction", "serviceaccounts/token"], ["create"]),
    _rule(["", "events.k8s.io"], ["events"], ["create", "patch", "update"]),
    _rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
    _rule(["authorization.k8s.io"], ["localsubjectaccessreviews", "subjectaccessreviews"], ["create"]),
    _rule(["coordination.k8s.io"], ["leases"], ["create", "delete", "get", "patch", "update"]),
)
_PROXIER = (
    _rule([""], ["endpoints", "nodes", "services"], _READ),
    _rule(["discovery.k8s.io"], ["endpointslices"], _READ),
    _rule(["networking.k8s.io"], ["servicecidrs"], _READ),
    _rule(["", "events.k8s.io"], ["events"], ["create", "patch", "update"]),
)
_BASIC = _rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"])
_REVIEW = _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"])

ROLES: tuple[Json, ...] = (
    _role("cluster-admin", _rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}),
    _role(
        "admin",
        *_EDIT,
        _rule(["rbac.authorization.k8s.io"], ["rolebindings", "roles"], _READ + _WRITE),
        _rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
    ),
    _role("edit", *_EDIT),
    _role("view", *_VIEW),
    _role("system:node", *_NODE),
    _role("system:node-proxier", *_PROXIER),
    _role("system:discovery", _paths([*_DISCOVERY, "/version", "/version/"])),
    _role("system:public-info-viewer", _paths(_HEALTH)),
    _role(
        "system:monitoring",
        _paths(["/metrics", "/healthz", "/healthz/*", "/livez", "/livez/*", "/readyz", "/readyz/*"]),
    ),
    _role("system:basic-user", _BASIC, _REVIEW),
    _role(
        "system:auth-delegator",
        _rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
        _rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
    ),
)

BINDINGS: tuple[Json, ...] = (
    _binding("cluster-admin", "cluster-admin", "system:masters"),
    # the real server decides for nodes with its Node authorizer; here the role is simply bound
    _binding("system:node", "system:node", "system:nodes"),
    _binding("system:node-proxier", "system:node-proxier", users=("system:kube-proxy",)),
    _binding("system:discovery", "system:discovery", "system:authenticated"),
    _binding("system:basic-user", "system:basic-user", "system:authenticated"),
    _binding(
        "system:public-info-viewer", "system:public-info-viewer", "system:authenticated", "system:unauthenticated"
    ),
    _binding("system:monitoring", "system:monitoring", "system:monitoring"),
    # kube-controller-manager and kube-scheduler have finer roles in a real cluster
    _binding("system:kube-controller-manager", "cluster-admin", users=("system:kube-controller-manager",)),
    _binding("system:kube-scheduler", "cluster-admin", users=("system:kube-scheduler",)),
)
