"""The table that marks the packets of one dial for tracing, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.model.addresses import Family, Protocol
from conformance.model.way import ANSWERED, ASKED, DONE, LAST, READY

_MOST = "limit rate 100/second burst 100 packets"
"""Of each rule: a mistake of ours is not to flood anybody's log of events."""
_L4 = {Protocol.TCP: "tcp", Protocol.UDP: "udp", Protocol.SCTP: "sctp"}
_HOOKS = ("prerouting", "output")
_RAW, _TRACKED, _LAST = -350, -199, 400
"""Priorities: before everybody's rules; just after connection tracking (-200); after everybody's."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """A dial of ``ip`` and ``port`` (0: none), and where it may be sent on to.

    Who dials is not asked: on its way to another node a packet may have got another source.
    """

    ip: str
    port: int
    protocol: Protocol
    endpoints: tuple[tuple[str, int], ...] = ()


def commands(name: str, run: str, dialled: Dialled) -> list[str]:
    """What makes the table ``name``, a line each; it goes with the process that says them."""
    return [
        f'add table inet {name} {{ flags owner; comment "nftconform, run {run}"; }}',
        *_chains(name),
        f"add rule inet {name} {ASKED}output ip daddr 127.0.0.1 udp dport {{ {READY}, {DONE} }} meta nftrace set 1",
        *(f"add rule inet {name} {rule} {_MOST} meta nftrace set 1" for rule in _rules(dialled)),
    ]


def _chains(name: str) -> Iterator[str]:
    places = [(f"{ASKED}{hook}", hook, _RAW) for hook in _HOOKS] + [
        (f"{ANSWERED}{hook}", hook, _TRACKED) for hook in _HOOKS
    ]
    # Without rules: who comes here has passed everybody's.
    places += [(f"{LAST}{hook}", hook, _LAST) for hook in ("input", "forward", "postrouting")]
    for chain, hook, priority in places:
        yield f"add chain inet {name} {chain} {{ type filter hook {hook} priority {priority}; }}"


def _rules(dialled: Dialled) -> Iterator[str]:
    ip = "ip" if Family.of(dialled.ip) is Family.IPV4 else "ip6"
    l4 = _L4.get(dialled.protocol)
    proto = f"meta l4proto {l4}" if l4 else f"meta l4proto {'icmp' if ip == 'ip' else 'ipv6-icmp'}"
    port = f" th dport {dialled.port}" if l4 else ""
    for hook in _HOOKS:
        yield f"{ASKED}{hook} {ip} daddr {dialled.ip} {proto}{port}"
    for address, number in dialled.endpoints:
        # On their nodes they come in from the wire, translated by another node.
        yield f"{ASKED}prerouting {ip} daddr {address} {proto}" + (f" th dport {number}" if l4 else "")
    ends = dict.fromkeys([(dialled.ip, dialled.port), *dialled.endpoints])
    for hook in _HOOKS:
        for address, number in ends:
            tracked = f"ct direction reply ct original {ip} daddr {address}"
            yield f"{ANSWERED}{hook} {proto} {tracked}" + (f" ct original proto-dst {number}" if l4 else "")
        for address in dict.fromkeys(address for address, _ in ends):
            if l4:
                icmp = "icmp" if ip == "ip" else "ipv6-icmp"
                yield f"{ANSWERED}{hook} meta l4proto {icmp} ct direction reply ct original {ip} daddr {address}"
