"""The ports of a Service that kube-proxy serves on a node, in whichever mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from conformance.lab.proxy.endpoints import Choice, choose, targets
from conformance.lab.proxy.names import ServicePortName
from conformance.lab.proxy.place import Place
from conformance.model.addresses import Family, contains
from conformance.model.kube import EndpointSlice, IPMode, Policy, Service, ServicePort, ServiceType

_IGNORED_LABELS = ("service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless")


@dataclass(frozen=True, slots=True)
class Port:
    """One Service port in one family on one node, with everything that its rules are made of."""

    name: ServicePortName
    protocol: str
    number: int
    node_port: int
    cluster_ip: str
    external_ips: tuple[str, ...]
    vips: tuple[str, ...]
    source_ranges: tuple[str, ...]
    internal_local: bool
    external_local: bool
    affinity_seconds: int | None
    choice: Choice
    health_check_node_port: int
    endpoint_count: int

    @property
    def has_external(self) -> bool:
        """Whether it has any address but its ClusterIP."""
        return bool(self.node_port or self.external_ips or self.vips)

    @property
    def internally(self) -> bool:
        """Whether an endpoint takes what is sent to the ClusterIP of this node."""
        return self.choice.anywhere and bool(not self.internal_local or self.choice.local)

    @property
    def externally(self) -> bool:
        """Whether an endpoint takes what is sent from outside to this node."""
        return self.choice.anywhere and bool(not self.external_local or self.choice.local)

    def allows(self, node_ip: str) -> bool:
        """Whether the source ranges allow the node itself.

        It reaches a load balancer address that is bound to it with that address as source, which is then meant, too.
        """
        return bool(node_ip) and any(contains(r, node_ip) for r in self.source_ranges)


def is_proxied(service: Service) -> bool:
    """Whether kube-proxy serves it at all: not headless, not ExternalName, not somebody else's."""
    if service.type is ServiceType.EXTERNAL_NAME or service.headless or not service.cluster_ips:
        return False
    return not any(label in service.labels for label in _IGNORED_LABELS)


def cluster_ip(service: Service, family: Family) -> str | None:
    """Its ClusterIP of ``family``, or None."""
    return next((ip for ip in service.cluster_ips if Family.of(ip) is family), None)


def virtual_ips(service: Service, family: Family) -> tuple[str, ...]:
    """The load balancer's addresses that nodes serve themselves (ipMode VIP)."""
    return tuple(i.ip for i in service.ingress if i.ip_mode is IPMode.VIP and Family.of(i.ip) is family)


def is_health_checked(service: Service) -> bool:
    """Whether load balancers ask each node if it has local endpoints."""
    local = service.type is ServiceType.LOAD_BALANCER and service.external_policy is Policy.LOCAL
    return local and bool(service.health_check_node_port)


def served_ports(service: Service, slices: Iterable[EndpointSlice], place: Place) -> tuple[Port, ...]:
    """The ports of ``service`` at ``place``; none when kube-proxy does not serve it there."""
    own_ip = cluster_ip(service, place.family) if is_proxied(service) else None
    if own_ip is None:
        return ()
    listed = [s for s in slices if not any(label in s.labels for label in _IGNORED_LABELS)]
    return tuple(_port(service, spec, own_ip, listed, place) for spec in service.ports)


def _port(service: Service, spec: ServicePort, own_ip: str, slices: list[EndpointSlice], place: Place) -> Port:
    external_ips = tuple(ip for ip in service.external_ips if Family.of(ip) is place.family)
    vips = virtual_ips(service, place.family)
    ranges = tuple(r for r in service.source_ranges if Family.of(r) is place.family)
    has_external = bool(spec.node_port or external_ips or vips)
    every = targets(slices, spec, place.node, place.family)
    return Port(
        name=ServicePortName(service.namespace, service.name, spec.name, spec.protocol),
        protocol=spec.protocol.value.lower(),
        number=spec.port,
        node_port=spec.node_port,
        cluster_ip=own_ip,
        external_ips=external_ips,
        vips=vips,
        # Everybody is allowed as soon as one range is everything; nft would refuse no address at all.
        source_ranges=() if any(ip_network(r).prefixlen == 0 for r in ranges) else ranges,
        internal_local=service.internal_policy is Policy.LOCAL,
        external_local=service.external_policy is Policy.LOCAL,
        affinity_seconds=service.affinity_seconds,
        choice=choose(service, has_external, every, place.node, place.zone),
        health_check_node_port=service.health_check_node_port if is_health_checked(service) else 0,
        endpoint_count=len(every),
    )
