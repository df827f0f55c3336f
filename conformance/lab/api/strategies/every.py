"""Which strategy each resource has."""

from __future__ import annotations

from conformance.lab.api.config import Config
from conformance.lab.api.store import Store
from conformance.lab.api.strategies import simple, workloads
from conformance.lab.api.strategies.base import Strategy
from conformance.lab.api.strategies.endpoints import EndpointSliceStrategy, EndpointsStrategy
from conformance.lab.api.strategies.namespaces import NamespaceStrategy
from conformance.lab.api.strategies.pods import PodStrategy
from conformance.lab.api.strategies.services import ServiceStrategy

_RBAC = "rbac.authorization.k8s.io"


def strategies(store: Store, config: Config) -> dict[tuple[str, str], Strategy]:
    """The strategies of one server, by the key of the resource."""
    return {
        ("", "configmaps"): simple.ConfigMapStrategy(),
        ("", "endpoints"): EndpointsStrategy(),
        ("", "events"): simple.EventStrategy(store),
        ("", "namespaces"): NamespaceStrategy(),
        ("", "nodes"): simple.NodeStrategy(),
        ("", "pods"): PodStrategy(store),
        ("", "secrets"): simple.SecretStrategy(),
        ("", "serviceaccounts"): simple.ServiceAccountStrategy(),
        ("", "services"): ServiceStrategy(store, config),
        ("apps", "daemonsets"): workloads.DaemonSetStrategy(),
        ("apps", "deployments"): workloads.DeploymentStrategy(),
        ("apps", "replicasets"): workloads.ReplicaSetStrategy(),
        ("coordination.k8s.io", "leases"): simple.LeaseStrategy(),
        ("discovery.k8s.io", "endpointslices"): EndpointSliceStrategy(),
        ("networking.k8s.io", "networkpolicies"): simple.NetworkPolicyStrategy(),
        (_RBAC, "clusterrolebindings"): simple.BindingStrategy(),
        (_RBAC, "clusterroles"): simple.RoleStrategy(),
        (_RBAC, "rolebindings"): simple.BindingStrategy(),
        (_RBAC, "roles"): simple.RoleStrategy(),
    }
