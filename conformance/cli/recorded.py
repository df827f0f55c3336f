"""What a recording says of a cell, as an observation; and expectations as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from conformance.cli.scenario import RecordedCell
from conformance.judge import expected, name_of
from conformance.model.addresses import Family, Protocol
from conformance.model.client import Destination
from conformance.model.observation import Dial, End, IcmpError, Observation
from conformance.model.outcome import (
    Decides,
    Dropped,
    Expectation,
    Faithful,
    NoRoute,
    Outcome,
    Pins,
    Quiet,
    Reaches,
    Refused,
    Resolves,
    Shows,
    Target,
    Tells,
    TooBig,
    Unanswered,
    Unspecified,
)

_ICMP = re.compile(r"icmp(\d+)/(\d+)<(\S*)")
_NO_ROUTE = {"ENETUNREACH", "EHOSTUNREACH"}
_SILENCE = {"timeout", "ETIMEDOUT"}


def observation(cell: RecordedCell, expectation: Expectation, names: Mapping[str, frozenset[str]]) -> Observation:
    """The recorded ends as dials. Whoever recorded them asked again what was in doubt, so silence counts as controlled.

    ``names`` are those that a server at an address may answer with: its pod's, its machine's, its node's.
    """
    aliases = _aliases(expectation.outcome, names)
    dials: list[Dial] = []
    for end, count in sorted(cell.out.items()):
        dials += [_dial(end, cell.destination, aliases)] * count
    return Observation(dials=tuple(dials), control_before=True, control_after=True)


def _aliases(outcome: Outcome, names: Mapping[str, frozenset[str]]) -> dict[str, str]:
    if not isinstance(outcome, Reaches):
        return {}
    targets = (*outcome.targets, *outcome.astray)
    proper = {name_of(t) for t in targets}
    return {name: name_of(t) for t in targets for name in names.get(t.address, ()) if name not in proper}


def _dial(end: str, destination: Destination, aliases: Mapping[str, str]) -> Dial:
    endpoint, answered, source = end.partition("|")
    if answered:
        return Dial(End.ANSWERED, endpoint=aliases.get(endpoint, endpoint), source=source)
    icmp = _ICMP.fullmatch(end)
    if icmp:
        return Dial(End.ICMP, icmp=IcmpError(int(icmp[1]), int(icmp[2]), icmp[3]))
    if end in _SILENCE:
        return Dial(End.TIMEOUT)
    if end == "ECONNREFUSED":
        if destination.protocol is Protocol.TCP:
            return Dial(End.RST)
        code = (3, 3) if destination.family is Family.IPV4 else (1, 4)
        return Dial(End.ICMP, icmp=IcmpError(*code, sender=destination.ip))
    if end in _NO_ROUTE:
        return Dial(End.NO_ROUTE, detail=end)
    return Dial(End.ERROR, detail=end)


def cell_json(cell: RecordedCell, expectation: Expectation) -> dict[str, Any]:
    """One expectation with its cell and its argument, ready for JSON."""
    destination = cell.destination
    at = f"@{destination.node}" if destination.node else ""
    return {
        "client": cell.client.name,
        "service": destination.service,
        "kind": f"{destination.kind.value}{at}",
        "ip": destination.ip,
        "port": destination.port,
        "proto": destination.protocol.value,
        "expect": outcome_json(expectation.outcome),
        "reasons": [{"text": r.text, "source": r.source.text, "url": r.source.url} for r in expectation.reasons],
    }


def _targets(targets: Iterable[Target]) -> list[dict[str, Any]]:
    return [
        {"pod": t.pod, "address": t.address, "port": t.port, "sources": sorted(t.sources)}
        for t in sorted(targets, key=lambda t: (t.address, t.port))
    ]


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain data; ``words`` say the same to a person."""
    plain: dict[str, Any] = {"outcome": type(outcome).__name__.lower(), "words": expected(outcome)}
    match outcome:
        case Reaches(targets, sticky, movable, astray):
            plain |= {"sticky": sticky, "movable": movable, "targets": _targets(targets), "astray": _targets(astray)}
        case Refused(by):
            plain["by"] = by.value
        case Resolves(answers):
            plain["answers"] = sorted(answers)
        case TooBig(mtu):
            plain["mtu"] = mtu
        case Unspecified(reason):
            plain["reason"] = reason
        case Dropped() | NoRoute() | Unanswered() | Quiet() | Faithful() | Shows() | Tells() | Pins() | Decides():
            pass
        case other:
            assert_never(other)
    return plain
