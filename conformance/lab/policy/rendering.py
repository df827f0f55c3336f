"""The nft table of a node's isolations (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from conformance.lab.policy.compiling import Allow, Direction, Isolation, Span

TABLE = "inet nftconform-policy"
_IP = ("ip", "ip6")


def transaction(isolations: Iterable[Isolation]) -> str:
    """What makes the table that of ``isolations``, all at once; without any there is no table."""
    every = list(isolations)
    away = f"table {TABLE}\ndelete table {TABLE}\n"
    return f"{away}table {TABLE} {{\n{_body(every)}\n}}\n" if every else away


def _body(every: list[Isolation]) -> str:
    chains = {_name(one): _chain(one) for one in every}
    lines = [*chains.values()]
    dispatch = []
    for ip in _IP:
        isolated = sorted({a for one in every for a in one.addresses if _ip(a) == ip})
        if not isolated:
            continue
        # Nobody keeps a pod from itself.
        dispatch.append(f"{ip} saddr . {ip} daddr {{ {', '.join(f'{a} . {a}' for a in isolated)} }} return")
        for direction, side in ((Direction.EGRESS, "saddr"), (Direction.INGRESS, "daddr")):
            mine = [(a, _name(o)) for o in every if o.direction is direction for a in o.addresses if _ip(a) == ip]
            if mine:
                verdicts = ", ".join(f"{address} : jump {name}" for address, name in sorted(mine))
                dispatch.append(f"{ip} {side} vmap {{ {verdicts} }}")
    rules = "\n".join(dispatch)
    lines.append(f"chain policies {{\n{rules}\n}}")
    passing = (
        # Related: the errors of connections that are let pass.
        "ct state established,related accept",
        # Pods of one node ask each other for their link addresses; br_netfilter shows the answers to this hook.
        "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
    )
    hook = ("type filter hook forward priority filter; policy accept;", *passing, "jump policies")
    lines.append("\n".join(("chain forward {", *hook, "}")))
    return "\n".join(lines)


def _chain(one: Isolation) -> str:
    rules = "\n".join((*(rule for allow in one.allows for rule in _rules(allow, one.direction)), "drop"))
    return f"chain {_name(one)} {{\n{rules}\n}}"


def _rules(allow: Allow, direction: Direction) -> Iterator[str]:
    side = "saddr" if direction is Direction.INGRESS else "daddr"
    matches = [""] if allow.peers is None else []
    for ip in _IP:
        near = sorted(p for p in allow.peers or () if _ip(p) == ip)
        if near:
            beyond = "".join(f"{ip} {side} != {e} " for e in sorted(allow.excepts) if _ip(e) == ip)
            matches.append(f"{ip} {side} {{ {', '.join(near)} }} {beyond}")
    spans = [""] if allow.spans is None else [_ports(span) for span in sorted(allow.spans)]
    yield from (f"{match}{ports}return" for match in matches for ports in spans)


def _ports(span: Span) -> str:
    numbers = str(span.first) if span.first == span.last else f"{span.first}-{span.last}"
    return f"{span.protocol.lower()} dport {numbers} "


def _name(one: Isolation) -> str:
    """The same for pods that are isolated alike, on whichever node."""
    said = "\n".join(rule for allow in one.allows for rule in _rules(allow, one.direction))
    return f"{one.direction.value.lower()}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _ip(address: str) -> str:
    return "ip6" if ":" in address else "ip"
