"""healthCheckNodePort: what a node must say of its local endpoints to an external load balancer."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node, Policy, Service, ServicePort, ServiceType
from conformance.oracle.capture import proxied
from conformance.oracle.endpoints import variants_of


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The answer of a healthy kube-proxy: HTTP status, and the count in body and X-Load-Balancing-Endpoint-Weight."""

    status: int
    local_endpoints: int


def expect_health_check(state: ClusterState, service: Service, node: Node, family: Family) -> HealthCheck | None:
    """What ``node`` says of ``service`` when asked over ``family``; None when nobody listens.

    Only ready endpoints count, by address and not by port, not even by whether the Service has the port; terminating
    ones still serve, but a load balancer shall turn away from them.
    """
    kept = service.type is ServiceType.LOAD_BALANCER and service.external_policy is Policy.LOCAL
    if not kept or not service.health_check_node_port or not proxied(service, family):
        return None
    local = {
        backend.address
        for port in _slice_ports(state, service, family)
        for backend in next(iter(variants_of(state, service, port, family)), ())
        if backend.ready and backend.node == node.name
    }
    return HealthCheck(200 if local else 503, len(local))


def _slice_ports(state: ClusterState, service: Service, family: Family) -> set[ServicePort]:
    found = ((p.name, p.protocol) for s in state.slices_of(service, family) for p in s.ports)
    return {ServicePort(name, protocol, port=0, target_port=0) for name, protocol in found}
