"""Where the API keeps the kinds of object that the kit reads or writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.errors import UsageError


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource: ``group`` is ``api/v1`` or ``apis/<group>/<version>``."""

    group: str
    plural: str
    namespaced: bool = True

    @property
    def resource(self) -> str:
        """The plural with its group, as RBAC and messages name it (``daemonsets.apps``)."""
        _, _, rest = self.group.partition("/")
        group, slash, _ = rest.partition("/")
        return f"{self.plural}.{group}" if slash else self.plural

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of one object, or of the collection; without ``namespace`` of all namespaces."""
        words = [self.group, *(("namespaces", namespace) if self.namespaced and namespace else ()), self.plural]
        return "/" + "/".join(w for w in (*words, name, subresource) if w)


KINDS: dict[str, Kind] = {
    "Namespace": Kind("api/v1", "namespaces", namespaced=False),
    "Node": Kind("api/v1", "nodes", namespaced=False),
    "Pod": Kind("api/v1", "pods"),
    "Service": Kind("api/v1", "services"),
    "Endpoints": Kind("api/v1", "endpoints"),
    "ConfigMap": Kind("api/v1", "configmaps"),
    "Secret": Kind("api/v1", "secrets"),
    "ServiceAccount": Kind("api/v1", "serviceaccounts"),
    "Event": Kind("api/v1", "events"),
    "EndpointSlice": Kind("apis/discovery.k8s.io/v1", "endpointslices"),
    "NetworkPolicy": Kind("apis/networking.k8s.io/v1", "networkpolicies"),
    "ServiceCIDR": Kind("apis/networking.k8s.io/v1", "servicecidrs", namespaced=False),
    "IPAddress": Kind("apis/networking.k8s.io/v1", "ipaddresses", namespaced=False),
    "Deployment": Kind("apis/apps/v1", "deployments"),
    "DaemonSet": Kind("apis/apps/v1", "daemonsets"),
    "Installation": Kind("apis/operator.tigera.io/v1", "installations", namespaced=False),
    "FelixConfiguration": Kind("apis/crd.projectcalico.org/v1", "felixconfigurations", namespaced=False),
    "Lease": Kind("apis/coordination.k8s.io/v1", "leases"),
    "SelfSubjectAccessReview": Kind("apis/authorization.k8s.io/v1", "selfsubjectaccessreviews", namespaced=False),
}


def kind(name: str) -> Kind:
    """The resource of a kind's name; `UsageError` when the kit does not know it."""
    if name not in KINDS:
        raise UsageError(f"The kit does not know objects of kind '{name}'.", f"It knows {', '.join(sorted(KINDS))}.")
    return KINDS[name]


def collection_of(obj: dict[str, Any]) -> str:
    """The URL path that an object is created under."""
    return kind(obj["kind"]).path(obj["metadata"].get("namespace"))
