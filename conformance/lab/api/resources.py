"""The resources that this server has: names, scope, verbs and subresources, as discovery tells them."""

from __future__ import annotations

from dataclasses import dataclass

EVERY_VERB = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")


@dataclass(frozen=True, slots=True)
class Subresource:
    """A part of an object with a path of its own; kind and group version where they differ from the parent's."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource in one group version; ``stored_as`` is the resource whose objects it shows in another form."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    verbs: tuple[str, ...] = EVERY_VERB
    stored_as: tuple[str, str] | None = None

    @property
    def api_version(self) -> str:
        """``apiVersion`` of the objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The plural with its group, as messages name it (``deployments.apps``)."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def key(self) -> tuple[str, str]:
        """Where the objects are stored."""
        return self.stored_as or (self.group, self.plural)

    @property
    def singular(self) -> str:
        """The name that people type."""
        return self.kind.lower()

    def subresource(self, name: str) -> Subresource | None:
        """The subresource of that name."""
        return next((each for each in self.subresources if each.name == name), None)


def _status(kind: str) -> Subresource:
    return Subresource("status", kind, STATUS_VERBS)


_SCALE = Subresource("scale", "Scale", STATUS_VERBS, "autoscaling", "v1")
_CREATE = ("create",)
_RBAC = "rbac.authorization.k8s.io"
_AUTHZ = "authorization.k8s.io"
_AUTHN = "authentication.k8s.io"
_NET = "networking.k8s.io"

RESOURCES: tuple[Resource, ...] = (
    Resource("", "v1", "bindings", "Binding", True, verbs=_CREATE),
    Resource("", "v1", "configmaps", "ConfigMap", True, ("cm",)),
    Resource("", "v1", "endpoints", "Endpoints", True, ("ep",)),
    Resource("", "v1", "events", "Event", True, ("ev",)),
    Resource(
        "",
        "v1",
        "namespaces",
        "Namespace",
        False,
        ("ns",),
        subresources=(Subresource("finalize", "Namespace", ("update",)), _status("Namespace")),
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    ),
    Resource("", "v1", "nodes", "Node", False, ("no",), subresources=(_status("Node"),)),
    Resource(
        "",
        "v1",
        "pods",
        "Pod",
        True,
        ("po",),
        ("all",),
        (
            Subresource("attach", "PodAttachOptions", ("create", "get")),
            Subresource("binding", "Binding", _CREATE),
            Subresource("eviction", "Eviction", _CREATE, "policy", "v1"),
            Subresource("exec", "PodExecOptions", ("create", "get")),
            Subresource("log", "Pod", ("get",)),
            _status("Pod"),
        ),
    ),
    Resource("", "v1", "secrets", "Secret", True),
    Resource(
        "",
        "v1",
        "serviceaccounts",
        "ServiceAccount",
        True,
        ("sa",),
        subresources=(Subresource("token", "TokenRequest", _CREATE, _AUTHN, "v1"),),
    ),
    Resource("", "v1", "services", "Service", True, ("svc",), ("all",), (_status("Service"),)),
    Resource("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), ("all",), (_status("DaemonSet"),)),
    Resource("apps", "v1", "deployments", "Deployment", True, ("deploy",), ("all",), (_SCALE, _status("Deployment"))),
    Resource("apps", "v1", "replicasets", "ReplicaSet", True, ("rs",), ("all",), (_SCALE, _status("ReplicaSet"))),
    Resource(_AUTHN, "v1", "selfsubjectreviews", "SelfSubjectReview", False, verbs=_CREATE),
    Resource(_AUTHN, "v1", "tokenreviews", "TokenReview", False, verbs=_CREATE),
    Resource(_AUTHZ, "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", True, verbs=_CREATE),
    Resource(_AUTHZ, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, verbs=_CREATE),
    Resource(_AUTHZ, "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False, verbs=_CREATE),
    Resource(_AUTHZ, "v1", "subjectaccessreviews", "SubjectAccessReview", False, verbs=_CREATE),
    Resource("coordination.k8s.io", "v1", "leases", "Lease", True),
    Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True),
    Resource("events.k8s.io", "v1", "events", "Event", True, ("ev",), stored_as=("", "events")),
    Resource(_NET, "v1", "ipaddresses", "IPAddress", False, ("ip",)),
    Resource(_NET, "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",)),
    Resource(_NET, "v1", "servicecidrs", "ServiceCIDR", False, subresources=(_status("ServiceCIDR"),)),
    Resource(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", False),
    Resource(_RBAC, "v1", "clusterroles", "ClusterRole", False),
    Resource(_RBAC, "v1", "rolebindings", "RoleBinding", True),
    Resource(_RBAC, "v1", "roles", "Role", True),
)

BY_PATH: dict[tuple[str, str, str], Resource] = {(each.group, each.version, each.plural): each for each in RESOURCES}
GROUP_VERSIONS: tuple[tuple[str, str], ...] = tuple(dict.fromkeys((each.group, each.version) for each in RESOURCES))


def resource(group: str, plural: str) -> Resource:
    """The resource of that group and plural; KeyError where the server has none."""
    return BY_PATH[group, "v1", plural]
