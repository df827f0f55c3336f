"""What nodes show, compared with what a row demands of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import assert_never

from conformance.judge.finding import Finding
from conformance.model.demand import Demand, Either, Reading, Relation
from conformance.model.observation import Dial
from conformance.model.outcome import Shows
from conformance.model.verdict import Mismatch

_NAMED = 3
"""Nodes that the message tells of, and members of a list."""


def shown(outcome: Shows, dials: Sequence[Dial]) -> Finding:
    """Every node meets every demand; each dial is a node's readings, as JSON by name."""
    wrong = [why for dial in dials if (why := _lacks(outcome, json.loads(dial.detail), dial.endpoint))]
    if not wrong:
        return Finding()
    more = f"; and {len(wrong) - _NAMED} more nodes" if len(wrong) > _NAMED else ""
    return Finding(Mismatch.UNFIT_NODE, "; ".join(wrong[:_NAMED]) + more)


def demanded(demand: Demand | Either) -> str:
    """A demand in words."""
    match demand:
        case Either(demands):
            return " or ".join(map(demanded, demands))
        case Demand(reading, Relation.CONSISTS_OF, ()):
            return f"no {reading}"
        case Demand(reading, Relation.CONSISTS_OF, tuple(members)):
            return f"{reading}: {', '.join(members)}"
        case Demand(reading, relation, value):
            return f"{reading} {relation.value} {value}"
        case other:
            assert_never(other)


def _lacks(outcome: Shows, readings: Mapping[str, Reading], node: str) -> str:
    """How the node's readings contradict the first demand that they do not meet; empty when they meet all."""
    for demand in outcome.demands:
        either = demand.demands if isinstance(demand, Either) else (demand,)
        if not any(_met(one, readings[one.reading]) for one in either):
            told = " and ".join(_told(one, readings[one.reading]) for one in either)
            return f"{node}: {told}; promised was {demanded(demand)}"
    return ""


def _met(demand: Demand, found: Reading) -> bool:
    value = demand.value
    match demand.relation:
        case Relation.IS:
            return str(found) == str(value)
        case Relation.AT_LEAST:
            return _order(found) >= _order(value)
        case Relation.AT_MOST:
            return _order(found) <= _order(value)
        case Relation.CONSISTS_OF:
            return isinstance(found, list) and isinstance(value, tuple) and sorted(found) == sorted(value)
        case other:
            assert_never(other)


def _order(value: object) -> tuple[int, ...]:
    """The numbers at the beginning of a version; nothing, which is less than all, where it begins with none."""
    beginning = re.match(r"\d+(\.\d+)*", str(value))
    return tuple(map(int, beginning[0].split("."))) if beginning else ()


def _told(demand: Demand, found: Reading) -> str:
    if not isinstance(found, list):
        return f"{demand.reading} is {found if found != '' else 'nothing'}"
    members = demand.value if isinstance(demand.value, tuple) else ()
    surplus = [one for one in found if one not in members]
    parts = [_some("there is ", surplus)] if surplus else []
    parts += [_some("there is no ", missing)] if (missing := [one for one in members if one not in found]) else []
    return f"of {demand.reading} " + " and ".join(parts or ["one is there twice"])


def _some(lead: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return lead + ", ".join(names[:_NAMED]) + more
