"""An expectation in words that are the same on any cluster: no address, no number that a run draws."""

from __future__ import annotations

from collections.abc import Collection
from typing import assert_never

from conformance.judge.reached import name_of
from conformance.model.outcome import (
    Decides,
    Dropped,
    Faithful,
    NoRoute,
    Outcome,
    Pins,
    Quiet,
    Reaches,
    Refused,
    RefusedBy,
    Resolves,
    Shows,
    Target,
    Tells,
    TooBig,
    Unanswered,
    Unspecified,
)


def gist(outcome: Outcome, own: Collection[str]) -> str:
    """What had to happen, for comparing runs; ``own`` are the client's addresses, empty where they are not known."""
    match outcome:
        case Reaches(targets, _, _, astray):
            words = [f"answered by {_names(targets)}", _source(targets, own)] if targets else []
            lost = f"silence of {_names(astray)}" if astray else ""
            return ", ".join(w for w in (*words, lost) if w)
        case Refused(RefusedBy.ICMP):
            return "refused by ICMP"
        case Refused(RefusedBy.RST):
            return "refused by RST"
        case Refused():
            return "refused"
        case Dropped():
            return "dropped"
        case NoRoute():
            return "no route"
        case Unanswered():
            return "not answered"
        case TooBig():
            return "told the path's MTU"
        case Resolves(answers):
            return "resolved" if answers else "no record"
        case Pins(targets):
            return f"tied to one of {_names(targets)}"
        case Tells(status, local_endpoints):
            return f"HTTP {status}" + ("" if local_endpoints is None else f", {local_endpoints} local endpoints")
        case Quiet():
            return "no packet"
        case Faithful():
            return "faithful rules"
        case Shows():
            return "nodes as they are to be"
        case Decides(status=status):
            return f"refused ({status})" if status else "accepted"
        case Unspecified():
            return "left open"
        case other:
            assert_never(other)


def _names(targets: Collection[Target]) -> str:
    return ", ".join(sorted({name_of(target) for target in targets}))


def _source(targets: Collection[Target], own: Collection[str]) -> str:
    """Whether the endpoints see the client itself; nothing where that depends, or is not known."""
    seen = {bool(target.sources & set(own)) for target in targets if target.sources}
    if not own or len(seen) != 1 or any(not target.sources for target in targets):
        return ""
    return "source kept" if seen.pop() else "source changed"
