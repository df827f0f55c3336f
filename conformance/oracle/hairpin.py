"""Packets that an endpoint sends to itself: which of them a node gives a source address that can be answered."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node, Policy, Service, ServicePort
from conformance.oracle.capture import external_policy, load_balancer_ips, proxied
from conformance.oracle.endpoints import Backend, Usable, usable
from conformance.oracle.packet import Packet
from conformance.oracle.traits import Trait, has


def masquerades_hairpin(state: ClusterState, node: Node, packet: Packet, backend: Backend) -> bool:
    """Whether ``node`` masquerades ``packet``, which comes from ``backend`` itself, for that reason alone.

    In nftables mode one set holds the endpoints of all Services that slices claim for the node: an endpoint without
    a node's name loops through its own Service unmasqueraded, unless another Service names the node.
    """
    if has(state.proxy, Trait.HAIRPIN_FROM_ANYWHERE):
        return True
    about = ("hairpin", node.name, packet.family, packet.protocol, backend.address, backend.port)
    return state.once(about, lambda: _in_the_set(state, node, packet, backend))


def _in_the_set(state: ClusterState, node: Node, packet: Packet, backend: Backend) -> bool:
    # No slice claims it for the node: the Services that have it need not be gone through.
    if all(endpoint.node != node.name for _, endpoint in state.index.endpoints(backend.address)):
        return False
    return any(
        _holds(state, service, port, node, backend)
        for service in state.index.with_endpoint(backend.address)
        if proxied(service, packet.family)
        for port in service.ports
        if port.protocol is packet.protocol
    )


def _holds(state: ClusterState, service: Service, port: ServicePort, node: Node, backend: Backend) -> bool:
    family = Family.of(backend.address)
    readings = usable(state, service, port, family, node)
    local = (backend.address, backend.port, node.name)
    return bool(readings) and all(
        any((b.address, b.port, b.node) == local for b in _reachable(state, service, port, reading, family))
        for reading in readings
    )


def _reachable(
    state: ClusterState, service: Service, port: ServicePort, reading: Usable, family: Family
) -> Iterator[Backend]:
    """The endpoints that any rule of the Service port may choose (``CategorizeEndpoints`` of kube-proxy)."""
    outer = (*service.external_ips, *load_balancer_ips(state.proxy, service))
    external = bool(port.node_port) or any(Family.of(ip) is family for ip in outer)
    if service.internal_policy is Policy.CLUSTER or external:
        yield from reading.cluster.backends
    if service.internal_policy is Policy.LOCAL or (external_policy(service) is Policy.LOCAL and external):
        yield from reading.local.backends
