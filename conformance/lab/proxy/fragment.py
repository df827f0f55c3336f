"""What one Service adds to the table of one family."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from conformance.lab.proxy import names
from conformance.lab.proxy.base import masquerade
from conformance.lab.proxy.endpoints import Target
from conformance.lab.proxy.place import Place
from conformance.lab.proxy.ports import Port, served_ports
from conformance.lab.proxy.ruleset import Chain, Container, Element, Kind, Rule, address_type, ip_word
from conformance.model.kube import EndpointSlice, Service

# NFTNL_UDATA_COMMENT_MAXLEN: one byte more and the whole transaction fails, and every Service with it.
_LONGEST_COMMENT = 128


@dataclass(slots=True)
class Fragment:
    """Chains, affinity sets and elements of one Service; ``elements`` are (container, element) in order."""

    chains: list[Chain] = field(default_factory=list)
    affinity_sets: list[Container] = field(default_factory=list)
    elements: list[tuple[str, Element]] = field(default_factory=list)
    ports_without_internal: int = 0
    ports_without_external: int = 0


def fragment(service: Service, slices: Iterable[EndpointSlice], place: Place) -> Fragment:
    """The part of the table at ``place`` that ``service`` needs; empty when kube-proxy does not serve it there."""
    made = Fragment()
    for port in served_ports(service, slices, place):
        _add_port(made, port, place)
    return made


def _add_port(made: Fragment, port: Port, place: Place) -> None:
    base, choice = port.name.chain_base, port.choice
    cluster, local, external = f"service-{base}", f"local-{base}", f"external-{base}"
    made.ports_without_internal += choice.anywhere and not port.internally
    made.ports_without_external += choice.anywhere and not port.externally

    _add_policy_chain(made, cluster, choice.cluster, port, place)
    _add_policy_chain(made, local, choice.local, port, place)
    if port.affinity_seconds is not None:
        for target in choice.reachable:
            _add_endpoint(made, target, port, place)
    for target in choice.reachable:
        if target.local:
            key = f"{target.ip} . {target.ip} . {port.protocol} . {target.port}"
            made.elements.append((names.HAIRPIN_CONNECTIONS, Element(key)))
    if choice.anywhere and port.has_external:
        onward = (local if port.external_local else cluster) if port.externally else ""
        made.chains.append(Chain(external, _external_rules(port, cluster, onward, place)))

    comment = _comment(port.name.text)
    silent = "drop" if choice.anywhere else f"goto {names.REJECT_CHAIN}"
    made.elements.append((names.CLUSTER_IPS, Element(port.cluster_ip)))
    own_key = f"{port.cluster_ip} . {port.protocol} . {port.number}"
    if port.internally:
        onward = local if port.internal_local else cluster
        made.elements.append((names.SERVICE_IPS, Element(own_key, f"goto {onward}")))
    else:
        made.elements.append((names.NO_ENDPOINT_SERVICES, Element(own_key, silent, comment)))
    for ip in dict.fromkeys((*port.external_ips, *port.vips)):
        key = f"{ip} . {port.protocol} . {port.number}"
        if choice.anywhere:
            made.elements.append((names.SERVICE_IPS, Element(key, f"goto {external}")))
        if not port.externally:
            made.elements.append((names.NO_ENDPOINT_SERVICES, Element(key, silent, comment)))
    if port.node_port:
        key = f"{port.protocol} . {port.node_port}"
        if choice.anywhere:
            made.elements.append((names.SERVICE_NODEPORTS, Element(key, f"goto {external}")))
        if not port.externally:
            made.elements.append((names.NO_ENDPOINT_NODEPORTS, Element(key, silent, comment)))
    if port.vips and port.source_ranges:
        _add_firewall(made, f"firewall-{base}", port, place)


def _add_policy_chain(made: Fragment, chain: str, some: tuple[Target, ...], port: Port, place: Place) -> None:
    if not some:
        return
    if port.affinity_seconds is None:
        pairs = ", ".join(f"{i} : {t.ip} . {t.port}" for i, t in enumerate(some))
        spread = f"numgen random mod {len(some)} map {{ {pairs} }}"
        rule = Rule(f"meta l4proto {port.protocol} dnat {ip_word(place.family)} addr . port to {spread}")
        made.chains.append(Chain(chain, (rule,)))
        return
    bases = [port.name.endpoint_base(t.ip, t.port) for t in some]
    saddr = f"{ip_word(place.family)} saddr"
    sticky = tuple(Rule(f"{saddr} @{names.AFFINITY_PREFIX}{b} goto endpoint-{b}") for b in bases)
    verdicts = ", ".join(f"{i} : goto endpoint-{b}" for i, b in enumerate(bases))
    made.chains.append(Chain(chain, (*sticky, Rule(f"numgen random mod {len(some)} vmap {{ {verdicts} }}"))))


def _add_endpoint(made: Fragment, target: Target, port: Port, place: Place) -> None:
    base = port.name.endpoint_base(target.ip, target.port)
    affinity = f"{names.AFFINITY_PREFIX}{base}"
    made.affinity_sets.append(Container(Kind.SET, affinity, address_type(place.family), timeout=port.affinity_seconds))
    update = Rule(f"update @{affinity} {{ {ip_word(place.family)} saddr }}")
    made.chains.append(Chain(f"endpoint-{base}", (update, Rule(f"meta l4proto {port.protocol} dnat to {target.text}"))))


def _external_rules(port: Port, cluster: str, onward: str, place: Place) -> tuple[Rule, ...]:
    end = (Rule(f"goto {onward}"),) if onward else ()
    if not port.external_local:
        return (masquerade(place, "masquerade"), *end)
    pods = (
        (Rule(f"{place.local_traffic.matches} goto {cluster}", "short-circuit pod traffic"),)
        if place.local_traffic
        else ()
    )
    # The node's own packets carry the load balancer's address as source where that address is local.
    return (
        *pods,
        masquerade(place, "masquerade local traffic", "fib saddr type local"),
        Rule(f"fib saddr type local goto {cluster}", "short-circuit local traffic"),
        *end,
    )


def _add_firewall(made: Fragment, chain: str, port: Port, place: Place) -> None:
    sources = list(port.source_ranges)
    if port.allows(place.node_ip):
        sources.extend(port.vips)
    rule = Rule(f"{ip_word(place.family)} saddr != {{ {', '.join(sources)} }} drop")
    made.chains.append(Chain(chain, (rule,)))
    for ip in port.vips:
        key = f"{ip} . {port.protocol} . {port.number}"
        made.elements.append((names.FIREWALL_IPS, Element(key, f"goto {chain}")))


def _comment(text: str) -> str:
    return text if len(text) <= _LONGEST_COMMENT else text[: _LONGEST_COMMENT - 3] + "..."
