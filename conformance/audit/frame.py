"""The part of the table that no Service changes: base chains, dispatch, checks, masquerading, and empty containers."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from conformance.audit.expressions import REFUSAL, networks
from conformance.audit.place import Place
from conformance.audit.steps import Lookup, Mark, Masquerade, Match, Rule, Verdict
from conformance.audit.table import Hook
from conformance.model.addresses import Family
from conformance.model.source import Source
from conformance.spec import sources as cite

CLUSTER_IPS = "cluster-ips"
NODEPORT_IPS = "nodeport-ips"
HAIRPINS = "hairpin-connections"
SERVICE_IPS = "service-ips"
NODE_PORTS = "service-nodeports"
NO_ENDPOINTS = "no-endpoint-services"
NO_ENDPOINT_NODE_PORTS = "no-endpoint-nodeports"
FIREWALL_IPS = "firewall-ips"

# linux/netfilter_ipv4.h: NF_IP_PRI_NAT_DST, NF_IP_PRI_FILTER, NF_IP_PRI_NAT_SRC. Filters have to see the address that
# was dialled, and a reject is only possible in input, forward and output, which therefore ask conntrack's first packet.
_DNAT, _FILTER, _SNAT = -100, 0, 100
_PRE_DNAT = _DNAT - 10

_PORT = "meta l4proto . th dport"
_NEW = Match("ct state", frozenset({"new"}))
_RANDOM = Masquerade(frozenset({"fully-random"}))


@dataclass(frozen=True, slots=True)
class Fixed:
    """A chain that is there whatever the Services are."""

    hook: Hook | None
    rules: tuple[Rule, ...]


def fixed_chains(place: Place) -> Mapping[str, Fixed]:
    """Every chain of the frame by name, its rules in order."""
    return {
        "filter-prerouting-pre-dnat": _base("filter", "prerouting", _PRE_DNAT, (_NEW, _jump("firewall-check"))),
        "filter-output-pre-dnat": _base("filter", "output", _PRE_DNAT, (_NEW, _jump("firewall-check"))),
        "filter-input": _base(
            "filter",
            "input",
            _FILTER,
            (_NEW, _jump("nodeport-endpoints-check")),
            (_NEW, _jump("service-endpoints-check")),
        ),
        "filter-forward": _base("filter", "forward", _FILTER, *_checks()),
        "filter-output": _base("filter", "output", _FILTER, *_checks()),
        "nat-prerouting": _base("nat", "prerouting", _DNAT, (_jump("services"),)),
        "nat-output": _base("nat", "output", _DNAT, (_jump("services"),)),
        "nat-postrouting": _base("nat", "postrouting", _SNAT, (_jump("masquerading"),)),
        "nodeport-endpoints-check": _plain((*_node_port(place), Lookup(_PORT, NO_ENDPOINT_NODE_PORTS))),
        "service-endpoints-check": _plain((Lookup(f"{place.ip} daddr . {_PORT}", NO_ENDPOINTS),)),
        "firewall-check": _plain((Lookup(f"{place.ip} daddr . {_PORT}", FIREWALL_IPS),)),
        "services": _plain(*_services(place)),
        "masquerading": _plain(*_masquerading(place)),
        "cluster-ips-check": _plain(*_cluster_ips(place)),
        "reject-chain": _plain((Verdict("reject", REFUSAL),)),
    }


def fixed_containers(place: Place) -> Mapping[str, tuple[bool, tuple[str, ...]]]:
    """Every set (False) and map (True) of the frame by name, with the type of its keys."""
    address, port = place.address_type, ("inet_proto", "inet_service")
    found = {
        CLUSTER_IPS: (False, (address,)),
        HAIRPINS: (False, (address, address, *port)),
        SERVICE_IPS: (True, (address, *port)),
        NO_ENDPOINTS: (True, (address, *port)),
        FIREWALL_IPS: (True, (address, *port)),
        NODE_PORTS: (True, port),
        NO_ENDPOINT_NODE_PORTS: (True, port),
    }
    return found if place.node_port_ips is None else {**found, NODEPORT_IPS: (False, (address,))}


def frame_source(name: str) -> Source:
    """What a difference in the chain or container ``name`` contradicts."""
    return _SOURCES.get(name, cite.NFTABLES_CODE)


def _base(kind: str, hook: str, priority: int, *rules: Rule) -> Fixed:
    return Fixed(Hook(kind, hook, priority), rules)


def _plain(*rules: Rule) -> Fixed:
    return Fixed(None, rules)


def _jump(chain: str) -> Verdict:
    return Verdict("jump", chain)


def _checks() -> tuple[Rule, Rule]:
    return (_NEW, _jump("service-endpoints-check")), (_NEW, _jump("cluster-ips-check"))


def _node_port(place: Place) -> Rule:
    if place.node_port_ips is not None:
        return (Match(f"{place.ip} daddr", frozenset({f"@{NODEPORT_IPS}"})),)
    loopback = "127.0.0.0/8" if place.family is Family.IPV4 else "::1/128"
    return (Match(f"{place.ip} daddr", frozenset({loopback}), negated=True),)


def _services(place: Place) -> list[Rule]:
    to_cluster_ip = Match(f"{place.ip} daddr", frozenset({f"@{CLUSTER_IPS}"}))
    rules: list[Rule] = []
    if place.state.proxy.masquerade_all:
        rules.append((to_cluster_ip, Mark("|", place.mark)))
    elif place.pods is not None:
        rules.append((to_cluster_ip, place.pods.inverse, Mark("|", place.mark)))
    rules.append((Lookup(f"{place.ip} daddr . {_PORT}", SERVICE_IPS),))
    local: Rule = () if place.node_port_ips is not None else (Match("fib daddr type", frozenset({"local"})),)
    rules.append((*local, *_node_port(place), Lookup(_PORT, NODE_PORTS)))
    return rules


def _masquerading(place: Place) -> tuple[Rule, Rule]:
    marked = Match(f"meta mark & {place.mark:#x}", frozenset({"0"}), negated=True)
    translated = Match("ct status", frozenset({"dnat"}))
    loop = Match(f"{place.ip} saddr . {place.ip} daddr . {_PORT}", frozenset({f"@{HAIRPINS}"}))
    # The mark comes off, so that a tunnel's packet around this one is not masqueraded as well.
    return (marked, Mark("^", place.mark), _RANDOM), (translated, loop, _RANDOM)


def _cluster_ips(place: Place) -> list[Rule]:
    daddr = f"{place.ip} daddr"
    rules: list[Rule] = [(Match(daddr, frozenset({f"@{CLUSTER_IPS}"})), Verdict("reject", REFUSAL))]
    if place.service_cidrs:
        ranges = networks(ipaddress.ip_network(c, strict=False) for c in place.service_cidrs)
        rules.append((Match(daddr, ranges), Verdict("drop")))
    return rules


_SOURCES = {
    NODEPORT_IPS: cite.NODE_PORT_ADDRESSES,
    "nodeport-endpoints-check": cite.NODE_PORT_ADDRESSES,
    CLUSTER_IPS: cite.CLUSTER_IP,
    "cluster-ips-check": cite.NFTABLES_KEP,
    FIREWALL_IPS: cite.SOURCE_RANGES,
    "firewall-check": cite.SOURCE_RANGES,
    NO_ENDPOINTS: cite.VIRTUAL_IPS,
    NO_ENDPOINT_NODE_PORTS: cite.VIRTUAL_IPS,
    SERVICE_IPS: cite.CLUSTER_IP,
    NODE_PORTS: cite.NODE_PORT,
}
