"""Where a proxy stands: everything but Services and endpoints that decides the rules of one family on one node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.ruleset import ip_word
from conformance.model.addresses import Family, contains
from conformance.model.cluster import DetectLocal, ProxyMode
from conformance.model.kube import Node


@dataclass(frozen=True, slots=True)
class LocalTraffic:
    """The match of a packet that a pod of this node sent, and of every other one, in the words of the mode's tool."""

    matches: str
    excludes: str


@dataclass(frozen=True, slots=True)
class Place:
    """The node as one family's rules see it.

    ``node_port_ips`` are the addresses that take node ports, None when every local one does. ``local_traffic`` is None
    when the configuration gives no means to tell. ``mark`` is the masquerade bit in hexadecimal.
    ``loopback_node_ports`` says that node ports answer on loopback addresses, which only iptables mode can do.
    """

    family: Family
    node: str
    zone: str = ""
    node_ip: str = ""
    node_port_ips: tuple[str, ...] | None = None
    local_ips: tuple[str, ...] = ()
    local_traffic: LocalTraffic | None = None
    masquerade_all: bool = False
    mark: str = "0x004000"
    service_cidrs: tuple[str, ...] = ()
    loopback_node_ports: bool = False

    @property
    def listening_ips(self) -> tuple[str, ...]:
        """The addresses at which a node port is served, loopback only if that was asked for."""
        return self.local_ips if self.node_port_ips is None else self.node_port_ips


def place(
    family: Family,
    node: Node,
    configuration: Configuration,
    service_cidrs: Iterable[str] = (),
    interface_addresses: Iterable[str] = (),
) -> Place:
    """The place of ``family`` on ``node``; ``interface_addresses`` are all that the node's interfaces carry."""
    carried = tuple(a for a in dict.fromkeys(interface_addresses) if Family.of(a) is family)
    own = tuple(a for a in carried if not ip_address(a).is_loopback)
    loopback = loopback_node_ports(family, configuration)
    bind = configuration.bind_address
    node_ip = bind if bind and Family.of(bind) is family else node.primary(family) or ""
    return Place(
        family=family,
        node=node.name,
        zone=node.zone,
        node_ip=node_ip,
        node_port_ips=_node_port_ips(family, node_ip, configuration, carried if loopback else own),
        local_ips=own,
        local_traffic=_local_traffic(family, node, configuration),
        masquerade_all=configuration.masquerade_all,
        mark=f"{1 << configuration.masquerade_bit:#08x}",
        service_cidrs=_of(family, service_cidrs),
        loopback_node_ports=loopback,
    )


def _node_port_ips(
    family: Family, node_ip: str, configuration: Configuration, own: tuple[str, ...]
) -> tuple[str, ...] | None:
    if configuration.primary_node_ports:
        cidrs: tuple[str, ...] = (node_ip,) if node_ip else ()
    else:
        cidrs = _of(family, configuration.node_port_addresses)
    # Ranges of the other family only leave this one unrestricted (NewNodePortAddresses; upstream warns of it).
    if not cidrs or any(c.endswith("/0") for c in cidrs):
        return None
    return tuple(a for a in own if any(contains(c, a) for c in cidrs))


def loopback_node_ports(family: Family, configuration: Configuration) -> bool:
    """Whether they are served there: route_localnet is IPv4's, and the configured ranges must reach that far."""
    if configuration.mode is not ProxyMode.IPTABLES or family is not Family.IPV4 or configuration.primary_node_ports:
        return False
    cidrs = _of(family, configuration.node_port_addresses) or ("0.0.0.0/0",)
    reached = any(ip_network(c, strict=False).overlaps(ip_network("127.0.0.0/8")) for c in cidrs)
    return configuration.localhost_node_ports and reached


def _local_traffic(family: Family, node: Node, configuration: Configuration) -> LocalTraffic | None:
    nft = configuration.mode is ProxyMode.NFTABLES
    match configuration.detect_local:
        case DetectLocal.CLUSTER_CIDR:
            return _by_cidr(family, configuration.cluster_cidrs, nft=nft)
        case DetectLocal.NODE_CIDR:
            return _by_cidr(family, node.pod_cidrs, nft=nft)
        case DetectLocal.BRIDGE_INTERFACE:
            return _by_interface(configuration.bridge_interface, nft=nft)
        case DetectLocal.INTERFACE_NAME_PREFIX:
            return _by_interface(f"{configuration.interface_name_prefix}{'*' if nft else '+'}", nft=nft)


def _by_cidr(family: Family, cidrs: Iterable[str], *, nft: bool) -> LocalTraffic | None:
    mine = _of(family, cidrs)
    if not mine:
        return None
    if not nft:
        return LocalTraffic(f"-s {mine[0]}", f"! -s {mine[0]}")
    word = ip_word(family)
    return LocalTraffic(f"{word} saddr {mine[0]}", f"{word} saddr != {mine[0]}")


def _by_interface(name: str, *, nft: bool) -> LocalTraffic:
    if not nft:
        return LocalTraffic(f"-i {name}", f"! -i {name}")
    return LocalTraffic(f'iifname "{name}"', f'iifname != "{name}"')


def _of(family: Family, cidrs: Iterable[str]) -> tuple[str, ...]:
    return tuple(c for c in cidrs if Family.of(c) is family)
