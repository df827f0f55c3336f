"""What a node's place and kube-proxy's configuration make of the rules of one family."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from conformance.audit.expressions import networks
from conformance.audit.steps import Match
from conformance.model.addresses import Family, contains
from conformance.model.cluster import ClusterState, DetectLocal
from conformance.model.kube import Node
from conformance.oracle.capture import PRIMARY
from conformance.oracle.detect import detects

_EVERYWHERE = {"all"}


@dataclass(frozen=True, slots=True)
class Detail:
    """What only rules show of a configuration: ``nftables.masqueradeBit``, and ``detectLocal``'s names."""

    masquerade_bit: int = 14
    bridge_interface: str = ""
    interface_name_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One family on one node.

    ``pods`` is the match of a local pod's packets, None where the configuration gives no means to tell.
    ``node_port_ips`` are those that serve node ports, None when every local address does; ``node_port_ranges`` are the
    CIDRs in which addresses that the API does not know may serve them too.
    """

    state: ClusterState
    node: Node
    family: Family
    mark: int
    pods: Match | None
    node_port_ips: frozenset[str] | None
    node_port_ranges: tuple[str, ...]
    service_cidrs: tuple[str, ...]

    @property
    def ip(self) -> str:
        """nft's word for the family."""
        return "ip" if self.family is Family.IPV4 else "ip6"

    @property
    def address_type(self) -> str:
        """nft's type of an address."""
        return "ipv4_addr" if self.family is Family.IPV4 else "ipv6_addr"


def place(state: ClusterState, node: Node, family: Family, detail: Detail) -> Place:
    """The place of ``family`` on ``node``."""
    ips, ranges = _node_ports(state, node, family)
    return Place(
        state=state,
        node=node,
        family=family,
        mark=1 << detail.masquerade_bit,
        pods=_pods(state, node, family, detail),
        node_port_ips=ips,
        node_port_ranges=ranges,
        service_cidrs=tuple(c for c in state.proxy.service_cidrs if Family.of(c) is family),
    )


def source_in(family: Family, cidrs: tuple[str, ...]) -> Match:
    """The match of packets that come from ``cidrs``."""
    return Match(f"{'ip' if family is Family.IPV4 else 'ip6'} saddr", networks(map(ipaddress.ip_network, cidrs)))


def _pods(state: ClusterState, node: Node, family: Family, detail: Detail) -> Match | None:
    if not detects(state, node, family):
        return None
    match state.proxy.detect_local:
        case DetectLocal.BRIDGE_INTERFACE:
            return Match("meta iifname", frozenset({detail.bridge_interface}))
        case DetectLocal.INTERFACE_NAME_PREFIX:
            return Match("meta iifname", frozenset({f"{detail.interface_name_prefix}*"}))
        case DetectLocal.CLUSTER_CIDR:
            cidrs = state.proxy.cluster_cidrs
        case DetectLocal.NODE_CIDR:
            cidrs = node.pod_cidrs
    first = next(c for c in cidrs if Family.of(c) is family)
    return source_in(family, (str(ipaddress.ip_network(first, strict=False)),))


def _node_ports(state: ClusterState, node: Node, family: Family) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    given = state.proxy.node_port_addresses or (PRIMARY,)
    primary = node.primary(family)
    if _EVERYWHERE & set(given):
        return None, ()
    cidrs = tuple(c for c in given if c != PRIMARY and _is_cidr(c) and Family.of(c) is family)
    if any(ipaddress.ip_network(c, strict=False).prefixlen == 0 for c in cidrs):
        return None, ()
    primaries = (primary,) if PRIMARY in given and primary else ()
    if not cidrs and not primaries:
        return None, ()  # a family without an address of its own serves them everywhere (NewNodePortAddresses)
    own = (*node.addresses, *node.local)
    inside = (a for a in own if Family.of(a) is family and any(contains(c, a) for c in cidrs))
    addresses = frozenset(a for a in (*primaries, *inside) if not ipaddress.ip_address(a).is_loopback)
    # Only where nobody has looked at the node's interfaces can it have addresses that we do not know.
    return addresses, () if node.local else cidrs


def _is_cidr(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
