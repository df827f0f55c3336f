"""What a dialled address is to a node's rules: which Service port it belongs to, and in which role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from conformance.model.addresses import Family, contains, network, parsed
from conformance.model.cluster import ClusterState, ProxyConfig
from conformance.model.kube import IPMode, Node, Policy, Service, ServicePort, ServiceType
from conformance.oracle.packet import Packet
from conformance.oracle.traits import Trait, has

PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"
PRIMARY = "primary"
_WORDS = {"all": ("0.0.0.0/0", "::/0"), "localhost": ("127.0.0.0/8", "::1/128")}  # words besides CIDRs, since 1.37


class Role(Enum):
    """What the address is to the Service."""

    CLUSTER_IP = "ClusterIP"
    EXTERNAL_IP = "external IP"
    LOAD_BALANCER = "load balancer address"
    NODE_PORT = "node port"


@dataclass(frozen=True, slots=True)
class Capture:
    """A Service port that a packet belongs to."""

    service: Service
    port: ServicePort
    role: Role


def proxied(service: Service, family: Family) -> bool:
    """Whether kube-proxy programs ``service`` in ``family`` at all."""
    return (
        service.type is not ServiceType.EXTERNAL_NAME
        and not service.headless
        and PROXY_NAME_LABEL not in service.labels
        and cluster_ip(service, family) is not None
    )


def cluster_ip(service: Service, family: Family) -> str | None:
    """The Service's ClusterIP of ``family``, without which kube-proxy leaves the whole family alone."""
    return next((ip for ip in service.cluster_ips if ip != "None" and Family.of(ip) is family), None)


def external_policy(service: Service) -> Policy:
    """The policy of its external addresses; a ClusterIP Service whose status has outlived its type has none."""
    outer = service.type in {ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER} or service.external_ips
    return service.external_policy if outer else Policy.CLUSTER


def captures(state: ClusterState, packet: Packet) -> tuple[Capture, ...]:
    """Every Service port that claims the packet's address; more than one is a conflict that the API leaves open.

    One Service that has an address in two roles claims it once, in the role that counts.
    """
    return state.once(("address", packet.ip, packet.port, packet.protocol), lambda: _captures(state, packet))


def _captures(state: ClusterState, packet: Packet) -> tuple[Capture, ...]:
    return tuple(
        Capture(service, port, _role(state.proxy, roles))
        for service, port in _ports(state.index.with_address(packet.ip), packet)
        if port.port == packet.port and (roles := tuple(_roles(state.proxy, service, packet)))
    )


def node_port_captures(state: ClusterState, packet: Packet) -> tuple[Capture, ...]:
    """Every Service port that has the packet's port as its node port."""
    about = ("node port", packet.port, packet.protocol, packet.family)
    return state.once(about, lambda: _node_port_captures(state, packet))


def _node_port_captures(state: ClusterState, packet: Packet) -> tuple[Capture, ...]:
    every = _ports(state.index.with_node_port(packet.port), packet)
    found = ((service, port) for service, port in every if port.node_port == packet.port)
    return tuple(Capture(service, port, Role.NODE_PORT) for service, port in found)


def _ports(services: Iterable[Service], packet: Packet) -> Iterator[tuple[Service, ServicePort]]:
    for service in services:
        ports = [p for p in service.ports if p.protocol is packet.protocol and packet.port in {p.port, p.node_port}]
        if ports and proxied(service, packet.family):
            yield from ((service, port) for port in sorted(ports, key=lambda p: p.name))


def _role(proxy: ProxyConfig, roles: tuple[Role, ...]) -> Role:
    # A map's last element stays (nftables), and of several rules the first one acts (iptables).
    return roles[-1] if has(proxy, Trait.LAST_ROLE_COUNTS) else roles[0]


def _roles(proxy: ProxyConfig, service: Service, packet: Packet) -> Iterator[Role]:
    if cluster_ip(service, packet.family) == packet.ip:
        yield Role.CLUSTER_IP
    if packet.ip in service.external_ips:
        yield Role.EXTERNAL_IP
    if packet.ip in load_balancer_ips(proxy, service):
        yield Role.LOAD_BALANCER


def load_balancer_ips(proxy: ProxyConfig, service: Service) -> tuple[str, ...]:
    """The load balancer addresses that nodes capture: those of ipMode VIP."""
    respects = has(proxy, Trait.IP_MODE)
    return tuple(i.ip for i in service.ingress if i.ip_mode is IPMode.VIP or not respects)


def is_cluster_ip(state: ClusterState, ip: str) -> bool:
    """Whether ``ip`` is the ClusterIP of a Service that kube-proxy programs."""
    family = Family.of(ip)
    return any(proxied(s, family) and cluster_ip(s, family) == ip for s in state.index.with_address(ip))


def accepts_node_ports(state: ClusterState, node: Node, ip: str) -> bool:
    """Whether node ports are served at ``ip``, one of the node's own addresses or a loopback one."""
    return state.once(("node ports", node.name, ip), lambda: _accepts_node_ports(state.proxy, node, ip))


def _accepts_node_ports(proxy: ProxyConfig, node: Node, ip: str) -> bool:
    family = Family.of(ip)
    scope = _node_port_scope(proxy, node, family)
    everywhere = any(network(c).prefixlen == 0 for c in scope)
    if parsed(ip).is_loopback:
        # Route_localnet exists for IPv4 alone. Given CIDRs, rules are made for the interface's one address, 127.0.0.1.
        allowed = has(proxy, Trait.LOOPBACK_NODE_PORTS) and proxy.localhost_node_ports and family is Family.IPV4
        listed = ip == "127.0.0.1" and any(contains(c, ip) for c in scope)
        return allowed and (everywhere or listed)
    return everywhere or any(contains(c, ip) for c in scope)


def _node_port_scope(proxy: ProxyConfig, node: Node, family: Family) -> tuple[str, ...]:
    """The CIDRs of ``family`` whose addresses serve node ports; a family without one serves them everywhere."""
    given = proxy.node_port_addresses or ((PRIMARY,) if has(proxy, Trait.PRIMARY_NODE_PORTS) else ())
    own = tuple(f"{ip}/{Family.of(ip).max_prefix}" for ip in map(node.primary, Family) if ip)
    cidrs = tuple(c for word in given for c in {PRIMARY: own, **_WORDS}.get(word, (word,)))
    return tuple(c for c in cidrs if Family.of(c) is family) or ("0.0.0.0/0" if family is Family.IPV4 else "::/0",)
