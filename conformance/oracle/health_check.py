"""healthCheckNodePort: what a node must say of its local endpoints to an external load balancer."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node, Policy, Service, ServiceType
from conformance.oracle.capture import proxied
from conformance.oracle.endpoints import variants_of


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The answer of a healthy kube-proxy: HTTP status, and the count in body and X-Load-Balancing-Endpoint-Weight."""

    status: int
    local_endpoints: int


def expect_health_check(state: ClusterState, service: Service, node: Node, family: Family) -> HealthCheck | None:
    """What ``node`` says of ``service`` when asked over ``family``; None when nobody listens.

    Only ready endpoints count, by address and not by port; terminating ones still serve, but a load balancer shall turn
    away from them.
    """
    kept = service.type is ServiceType.LOAD_BALANCER and service.external_policy is Policy.LOCAL
    if not kept or not service.health_check_node_port or not proxied(service, family):
        return None
    local = {
        backend.address
        for port in service.ports
        for backend in next(iter(variants_of(state, service, port, family)), ())
        if backend.ready and backend.node == node.name
    }
    return HealthCheck(200 if local else 503, len(local))
