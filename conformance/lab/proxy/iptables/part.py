"""What one Service adds to the tables of one family."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.lab.proxy.endpoints import Target
from conformance.lab.proxy.iptables import names
from conformance.lab.proxy.iptables.tables import Host, Part, Rule
from conformance.lab.proxy.place import Place
from conformance.lab.proxy.ports import Port, served_ports
from conformance.model.kube import EndpointSlice, Service

_MASQUERADE = f"-j {names.MARK_MASQ}"


def part(service: Service, slices: Iterable[EndpointSlice], place: Place, host: Host) -> Part:
    """The rules at ``place`` that ``service`` needs; none when kube-proxy does not serve it there."""
    made = Part()
    for port in served_ports(service, slices, place):
        made.endpoint_count += port.endpoint_count
        made.ports_without_internal += port.choice.anywhere and not port.internally
        made.ports_without_external += port.choice.anywhere and not port.externally
        _capture_cluster_ip(made, port)
        _capture_external_ips(made, port)
        _capture_node_port(made, port, place, host)
        if port.health_check_node_port:
            accept = f"-m tcp -p tcp --dport {port.health_check_node_port} -j ACCEPT"
            made.filter.append((names.NODE_PORTS, Rule(accept, f"{port.name.text} health check node port")))
        _add_chains(made, port, place)
    return made


def _to(port: Port, ip: str, number: int = 0) -> str:
    destination = f"-d {ip} " if ip else ""
    return f"-m {port.protocol} -p {port.protocol} {destination}--dport {number or port.number}"


def _silent(port: Port) -> tuple[str, str]:
    """The target, and why, of what no endpoint takes."""
    if port.choice.anywhere:
        return "DROP", f"{port.name.text} has no local endpoints"
    return "REJECT", f"{port.name.text} has no endpoints"


def _capture_cluster_ip(made: Part, port: Port) -> None:
    match = _to(port, port.cluster_ip)
    if not port.internally:
        target, why = _silent(port)
        made.filter.append((names.SERVICES, Rule(f"{match} -j {target}", why)))
        return
    made.nat.append((names.SERVICES, Rule(f"{match} -j {_internal_chain(port)}", f"{port.name.text} cluster IP")))


def _capture_external_ips(made: Part, port: Port) -> None:
    external, firewall = names.external_chain(port.name), names.firewall_chain(port.name)
    guarded = _is_guarded(port)
    onward = {"external IP": external, "loadbalancer IP": firewall if guarded else external}
    for what, ips in (("external IP", port.external_ips), ("loadbalancer IP", port.vips)):
        for ip in ips:
            match = _to(port, ip)
            if port.choice.anywhere:
                made.nat.append((names.SERVICES, Rule(f"{match} -j {onward[what]}", f"{port.name.text} {what}")))
            if guarded and what == "loadbalancer IP":
                why = f"{port.name.text} traffic not accepted by {firewall}"
                made.filter.append((names.PROXY_FIREWALL, Rule(f"{match} -j DROP", why)))
            if not port.externally:
                target, why = _silent(port)
                made.filter.append((names.EXTERNAL_SERVICES, Rule(f"{match} -j {target}", why)))


def _capture_node_port(made: Part, port: Port, place: Place, host: Host) -> None:
    if not port.node_port:
        return
    external = names.external_chain(port.name)
    if port.choice.anywhere:
        if place.loopback_node_ports and names.LOOPBACK_ACCEPTED in host.counters:
            counted = f"-m nfacct --nfacct-name {names.LOOPBACK_ACCEPTED} -j {external}"
            match = _to(port, "127.0.0.0/8", port.node_port)
            made.nat.append((names.NODE_PORTS, Rule(f"{match} {counted}", port.name.text)))
        made.nat.append((names.NODE_PORTS, Rule(f"{_to(port, '', port.node_port)} -j {external}", port.name.text)))
    if not port.externally:
        target, why = _silent(port)
        match = f"-m addrtype --dst-type LOCAL {_to(port, '', port.node_port)}"
        made.filter.append((names.EXTERNAL_SERVICES, Rule(f"{match} -j {target}", why)))


def _add_chains(made: Part, port: Port, place: Place) -> None:
    cluster, local, choice = names.cluster_chain(port.name), names.local_chain(port.name), port.choice
    spreading: dict[str, list[Rule]] = {}
    if port.internally:
        outside = "" if place.masquerade_all else place.local_traffic.excludes if place.local_traffic else None
        if outside is not None:
            # A router may send Service addresses to any node; what comes from outside must come back the same way.
            match = f"{_to(port, port.cluster_ip)} {outside}".strip()
            rule = Rule(f"{match} {_MASQUERADE}", f"{port.name.text} cluster IP")
            spreading.setdefault(_internal_chain(port), []).append(rule)
    if _is_guarded(port):
        made.chains[names.firewall_chain(port.name)] = _firewall_rules(port, place)
    if choice.anywhere and port.has_external:
        made.chains[names.external_chain(port.name)] = _external_rules(port, place)
    for chain, some in ((cluster, choice.cluster), (local, choice.local)):
        if some:
            made.chains[chain] = [*spreading.get(chain, ()), *_spread(port, some)]
    for target in choice.reachable:
        made.chains[names.endpoint_chain(port.name, target.text)] = _endpoint_rules(port, target)


def _internal_chain(port: Port) -> str:
    return names.local_chain(port.name) if port.internal_local else names.cluster_chain(port.name)


def _is_guarded(port: Port) -> bool:
    return port.choice.anywhere and bool(port.vips and port.source_ranges)


def _external_rules(port: Port, place: Place) -> list[Rule]:
    cluster, where = names.cluster_chain(port.name), f"{port.name.text} external destinations"
    if not port.external_local:
        return [Rule(_MASQUERADE, f"masquerade traffic for {where}"), *_onward(port, cluster)]
    pods = (
        (Rule(f"{place.local_traffic.matches} -j {cluster}", f"pod traffic for {where}"),)
        if place.local_traffic
        else ()
    )
    # The node's own packets carry the load balancer's address as source where that address is local.
    return [
        *pods,
        Rule(f"-m addrtype --src-type LOCAL {_MASQUERADE}", f"masquerade LOCAL traffic for {where}"),
        Rule(f"-m addrtype --src-type LOCAL -j {cluster}", f"route LOCAL traffic for {where}"),
        *_onward(port, names.local_chain(port.name)),
    ]


def _onward(port: Port, chain: str) -> tuple[Rule, ...]:
    return (Rule(f"-j {chain}"),) if port.externally else ()


def _firewall_rules(port: Port, place: Place) -> list[Rule]:
    sources = [*port.source_ranges, *(port.vips if port.allows(place.node_ip) else ())]
    external, comment = names.external_chain(port.name), f"{port.name.text} loadbalancer IP"
    # What reaches the end is not translated, so it meets the rule of KUBE-PROXY-FIREWALL.
    end = Rule("", f"other traffic to {port.name.text} will be dropped by {names.PROXY_FIREWALL}")
    return [*(Rule(f"-s {source} -j {external}", comment) for source in sources), end]


def _spread(port: Port, some: tuple[Target, ...]) -> list[Rule]:
    sticky, spread = [], []
    for left, target in zip(range(len(some), 0, -1), some, strict=True):
        chain, comment = names.endpoint_chain(port.name, target.text), f"{port.name.text} -> {target.text}"
        if port.affinity_seconds is not None:
            listed = f"-m recent --name {chain} --rcheck --seconds {port.affinity_seconds} --reap"
            sticky.append(Rule(f"{listed} -j {chain}", comment, spared=True))
        drawn = f"-m statistic --mode random --probability {1 / left:.10f} " if left > 1 else ""
        spread.append(Rule(f"{drawn}-j {chain}", comment, spared=True))
    return sticky + spread


def _endpoint_rules(port: Port, target: Target) -> list[Rule]:
    chain = names.endpoint_chain(port.name, target.text)
    remember = f"-m recent --name {chain} --set " if port.affinity_seconds is not None else ""
    translate = f"{remember}-m {port.protocol} -p {port.protocol} -j DNAT --to-destination {target.text}"
    return [
        Rule(f"-s {target.ip} {_MASQUERADE}", port.name.text, spared=True),
        Rule(translate, port.name.text, spared=True),
    ]
