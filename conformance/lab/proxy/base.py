"""The part of the table that no Service changes: base chains, dispatch, checks and masquerading."""

from __future__ import annotations

from conformance.lab.proxy import names
from conformance.lab.proxy.place import Place
from conformance.lab.proxy.ruleset import Chain, Container, Element, Hook, Kind, Rule, Ruleset, address_type, ip_word
from conformance.model.addresses import Family

# nft 1.0.6 takes "dstnat" in no output hook, so priorities are numbers: dstnat - 10, dstnat, filter, srcnat.
_PRE_DNAT, _DNAT, _FILTER, _SNAT = "-110", "-100", "0", "100"

_ENDPOINT_KEY = "meta l4proto . th dport"


def base(place: Place) -> Ruleset:
    """The table of ``place`` without any Service."""
    ip = ip_word(place.family)
    address = address_type(place.family)
    chains = (
        _hooked("filter-prerouting-pre-dnat", "filter", "prerouting", _PRE_DNAT, "ct state new jump firewall-check"),
        _hooked("filter-output-pre-dnat", "filter", "output", _PRE_DNAT, "ct state new jump firewall-check"),
        _hooked(
            "filter-input",
            "filter",
            "input",
            _FILTER,
            "ct state new jump nodeport-endpoints-check",
            "ct state new jump service-endpoints-check",
        ),
        *(
            _hooked(
                f"filter-{hook}",
                "filter",
                hook,
                _FILTER,
                "ct state new jump service-endpoints-check",
                "ct state new jump cluster-ips-check",
            )
            for hook in ("forward", "output")
        ),
        _hooked("nat-prerouting", "nat", "prerouting", _DNAT, "jump services"),
        _hooked("nat-output", "nat", "output", _DNAT, "jump services"),
        _hooked("nat-postrouting", "nat", "postrouting", _SNAT, "jump masquerading"),
        # Rejecting is possible in input, forward and output only (kernels before 5.9), hence a chain of its own.
        Chain(
            names.REJECT_CHAIN,
            (Rule("reject"),),
            comment="helper for @no-endpoint-services / @no-endpoint-nodeports",
        ),
        Chain(
            "nodeport-endpoints-check",
            (Rule(f"{_node_port_match(place)} {_ENDPOINT_KEY} vmap @{names.NO_ENDPOINT_NODEPORTS}"),),
        ),
        Chain("service-endpoints-check", (Rule(f"{ip} daddr . {_ENDPOINT_KEY} vmap @{names.NO_ENDPOINT_SERVICES}"),)),
        Chain("firewall-check", (Rule(f"{ip} daddr . {_ENDPOINT_KEY} vmap @{names.FIREWALL_IPS}"),)),
        Chain("services", _dispatch(place)),
        Chain("masquerading", _masquerading(place)),
        Chain("cluster-ips-check", _cluster_ips_check(place)),
    )
    verdicts = f"{address} . inet_proto . inet_service : verdict"
    node_port_ips = Container(Kind.SET, names.NODEPORT_IPS, address, "IPs that accept NodePort traffic")
    containers = [
        Container(
            Kind.SET,
            names.HAIRPIN_CONNECTIONS,
            f"{address} . {address} . inet_proto . inet_service",
            "service hairpin connections",
        ),
        Container(Kind.SET, names.CLUSTER_IPS, address, "Active ClusterIPs"),
        Container(
            Kind.MAP,
            names.NO_ENDPOINT_SERVICES,
            verdicts,
            "vmap to drop or reject packets to services with no endpoints",
        ),
        Container(
            Kind.MAP,
            names.NO_ENDPOINT_NODEPORTS,
            "inet_proto . inet_service : verdict",
            "vmap to drop or reject packets to service nodeports with no endpoints",
        ),
        Container(
            Kind.MAP,
            names.FIREWALL_IPS,
            verdicts,
            "destinations that are subject to LoadBalancerSourceRanges",
        ),
        Container(Kind.MAP, names.SERVICE_IPS, verdicts, "ClusterIP, ExternalIP and LoadBalancer IP traffic"),
        Container(Kind.MAP, names.SERVICE_NODEPORTS, "inet_proto . inet_service : verdict", "NodePort traffic"),
    ]
    elements: dict[str, dict[str, Element]] = {c.name: {} for c in containers}
    if place.node_port_ips is not None:
        containers.append(node_port_ips)
        elements[names.NODEPORT_IPS] = {ip: Element(ip) for ip in place.node_port_ips}
    return Ruleset(
        family=place.family,
        chains={c.name: c for c in chains},
        containers={c.name: c for c in containers},
        elements=elements,
        absent=(node_port_ips,) if place.node_port_ips is None else (),
    )


def masquerade(place: Place, comment: str = "", match: str = "") -> Rule:
    """The rule that marks a packet for masquerading; ``match`` in front."""
    return Rule(f"{match} meta mark set meta mark or {place.mark}".strip(), comment)


def _hooked(name: str, kind: str, hook: str, priority: str, *rules: str) -> Chain:
    return Chain(name, tuple(Rule(r) for r in rules), Hook(kind, hook, priority))


def _node_port_match(place: Place) -> str:
    ip = ip_word(place.family)
    if place.node_port_ips is not None:
        return f"{ip} daddr @{names.NODEPORT_IPS}"
    return f"{ip} daddr != {'127.0.0.0/8' if place.family is Family.IPV4 else '::1'}"


def _dispatch(place: Place) -> tuple[Rule, ...]:
    ip = ip_word(place.family)
    rules = []
    if place.masquerade_all:
        rules.append(masquerade(place, "masquerade all clusterIP traffic", f"{ip} daddr @{names.CLUSTER_IPS}"))
    elif place.local_traffic:
        # A router may send Service addresses to any node; what comes from outside must come back the same way.
        match = f"{ip} daddr @{names.CLUSTER_IPS} {place.local_traffic.excludes}"
        rules.append(masquerade(place, "masquerade clusterIP traffic from outside cluster", match))
    rules.append(Rule(f"{ip} daddr . {_ENDPOINT_KEY} vmap @{names.SERVICE_IPS}"))
    local = "" if place.node_port_ips is not None else "fib daddr type local "
    rules.append(Rule(f"{local}{_node_port_match(place)} {_ENDPOINT_KEY} vmap @{names.SERVICE_NODEPORTS}"))
    return tuple(rules)


def _masquerading(place: Place) -> tuple[Rule, ...]:
    ip, mark = ip_word(place.family), place.mark
    hairpin = f"{ip} saddr . {ip} daddr . {_ENDPOINT_KEY} @{names.HAIRPIN_CONNECTIONS}"
    return (
        # The mark is taken off, so that a packet that a tunnel wraps is not masqueraded twice.
        Rule(f"meta mark and {mark} != 0 meta mark set meta mark xor {mark} masquerade fully-random"),
        Rule(f"ct status dnat {hairpin} masquerade fully-random"),
    )


def _cluster_ips_check(place: Place) -> tuple[Rule, ...]:
    ip = ip_word(place.family)
    reject = Rule(f"{ip} daddr @{names.CLUSTER_IPS} reject", "Reject traffic to invalid ports of ClusterIPs")
    if not place.service_cidrs:
        return (reject,)
    cidrs = ", ".join(place.service_cidrs)
    return reject, Rule(f"{ip} daddr {{ {cidrs} }} drop", "Drop traffic to unallocated ClusterIPs")
