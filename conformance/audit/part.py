"""The part of a node's rules that a Service has to do with, in words much like nft's and iptables'."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from conformance.audit.names import Owners, is_owned, owner, told_key
from conformance.audit.steps import Verdict, targets, told
from conformance.audit.table import Container, Element, Key, Table
from conformance.model.client import Destination, DestinationKind
from conformance.model.kube import Service

MOST_LINES = 400
"""Of one node and family: a Service of a hundred endpoints has three hundred."""
MOST_ENTRIES = 40
_NODE_PORTS = {DestinationKind.NODE_PORT, DestinationKind.NODE_PORT_SECONDARY, DestinationKind.NODE_PORT_LOOPBACK}
_OTHERS = {DestinationKind.CLUSTER_IP, DestinationKind.EXTERNAL_IP, DestinationKind.LOAD_BALANCER}
_MAPS = {
    (False, True): ["service-ips"],
    (True, True): ["service-nodeports"],
    (False, False): ["no-endpoint-services", "firewall-ips"],
    (True, False): ["no-endpoint-nodeports"],
}
"""By whether a node port is dialled, and whether it is to be served."""
_COMMENT = re.compile(r'--comment "?([^"]*)"?')
_JUMP = re.compile(r" (?:-j|-g|--jump|--goto) (KUBE-\S+)")


def part(table: Table, service: Service, endpoints: Collection[str]) -> tuple[str, ...]:
    """kube-proxy's own chains, and of chains, maps and sets what is ``service``'s or about its ``endpoints``."""
    found = {name: list(_elements(one, service, table, endpoints)) for name, one in table.containers.items()}
    reached = _reached(table, chain.from_iterable(found.values()))
    lines: list[str] = []
    for name, one in table.containers.items():
        if is_owned(name) and owner(name).partition(":")[0] != service.key:
            continue
        kind = "map" if one.is_map else "set"
        if one.timeout is not None:
            lines.append(f"{kind} {name} {{ timeout {one.timeout}s; }}  # its elements are clients'")
        elif found[name]:
            lines += [f"{kind} {name} {{", *map(_told, found[name]), "}"]
        else:
            lines.append(f"{kind} {name} {{ }}  # nothing of this Service")
    for name, one_chain in table.chains.items():
        if is_owned(name) and name not in reached and owner(name).partition(":")[0] != service.key:
            continue
        hook = one_chain.hook
        lines.append(f"chain {name} {{")
        lines += (
            [f"  type {hook.type} hook {hook.hook} priority {hook.priority}; policy {hook.policy};"] if hook else []
        )
        lines += [f"  {told(rule)}" for rule in one_chain.rules]
        lines.append("}")
    return _short(lines)


def lacking(table: Table | None, to: Destination, *, served: bool) -> str:
    """Why rules cannot do what is due with what is sent ``to``: no element, or nowhere to look; empty when they can.

    ``served``: it is to come to an endpoint; otherwise it is to be rejected or dropped.
    """
    if table is None:
        return f"there is no table of kube-proxy's for {to.family.value}"
    protocol = to.protocol.value.lower()
    by_node_port = to.kind in _NODE_PORTS
    if not by_node_port and to.kind not in _OTHERS:
        return ""
    key: Key = (protocol, to.port) if by_node_port else (to.ip, protocol, to.port)
    names = _MAPS[by_node_port, served]
    there = [table.containers[name] for name in names if name in table.containers]
    if len(there) < len(names):
        return f"there is no map {' or '.join(names)}"
    return "" if any(key in one.elements for one in there) else f"no element of {names[0]} matches {told_key(key)}"


def iptables_part(saved: str, service: Service) -> tuple[str, ...]:
    """Of what ``iptables-save`` printed: what names ``service``, the chains that that leads to, and common rules."""
    rules = [line for line in saved.splitlines() if line.startswith("-A ")]
    own = [line for line in rules if _names(line, service.key)]
    known = set(chain.from_iterable(_JUMP.findall(line) for line in own)) | {"KUBE-MARK-MASQ"}
    while (
        more := {target for line in rules if line.split(" ", 2)[1] in known for target in _JUMP.findall(line)} - known
    ):
        known |= more
    shown = [line for line in rules if line.split(" ", 2)[1] in known or _names(line, service.key) or _common(line)]
    return _short(shown or [f"# no rule names {service.key}"])


def conntrack_part(printed: Iterable[str], to: Destination) -> tuple[str, ...]:
    """Of connection tracking's entries, as ``conntrack -L`` or the kernel's file has them, those of dials of ``to``."""
    found = []
    for line in printed:
        words = line.split()
        # The first direction comes first.
        fields = dict(reversed([word.split("=", 1) for word in words if "=" in word]))
        alike = _same(fields.get("dst", ""), to.ip) and to.protocol.value.lower() in words[:3]
        if alike and (not to.port or fields.get("dport") == str(to.port)):
            found.append(" ".join(words))
    return _short(found, MOST_ENTRIES)


def _same(one: str, other: str) -> bool:
    """Whether both are one address: the kernel's file writes all digits of IPv6."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False


def _elements(one: Container, service: Service, table: Table, endpoints: Collection[str]) -> Iterator[Element]:
    owners = Owners([service], table.family)
    addresses = {*service.cluster_ips, *service.external_ips, *(i.ip for i in service.ingress), *endpoints}
    node_ports = {(p.protocol.value.lower(), p.node_port) for p in service.ports if p.node_port}
    for element in one.elements.values():
        mine = owners.of(element).partition(":")[0] == service.key
        if mine or addresses & set(map(str, element.key)) or element.key in node_ports:
            yield element


def _reached(table: Table, elements: Iterable[Element]) -> set[str]:
    """The chains that the elements' verdicts lead to."""
    found: set[str] = set()
    ahead = [e.verdict.target for e in elements if isinstance(e.verdict, Verdict) and e.verdict.target]
    while ahead:
        name = ahead.pop()
        if name not in found and name in table.chains:
            found.add(name)
            ahead += [target for rule in table.chains[name].rules for target in targets(rule)]
    return found


def _told(element: Element) -> str:
    verdict = element.verdict
    return f"  {told_key(element.key)}" + (f" : {verdict.kind} {verdict.target}".rstrip() if verdict else "")


def _names(line: str, key: str) -> bool:
    return any(found == key or found.startswith((f"{key}:", f"{key} ")) for found in _COMMENT.findall(line))


def _common(line: str) -> bool:
    """Whether it is of those that kube-proxy has once for all Services."""
    name = line.split(" ", 2)[1]
    return name in {"KUBE-POSTROUTING", "KUBE-FORWARD", "KUBE-FIREWALL"} or (
        not name.startswith("KUBE-") and bool(_JUMP.search(line))
    )


def _short(lines: list[str], most: int = MOST_LINES) -> tuple[str, ...]:
    left = len(lines) - most
    return tuple(lines if left <= 0 else [*lines[:most], f"# ... and {left} lines more"])
