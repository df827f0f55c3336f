"""What failing cells have in common that the others do not: where to look first."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance.model.result import Result
from conformance.model.verdict import Status

MOST_TRAITS = 4
_MOST_OF_THEM, _FEWER_ELSEWHERE = 0.9, 0.67
"""A trait is told when so many of the failing cells have it, and of all judged ones at most this part as many."""
_DECIDES = re.compile(r"so the rules of (\S+) decide")
_ROLE = re.compile(r"-[abc]$")


@dataclass(frozen=True, slots=True)
class Trait:
    """``failing`` of the ``of`` failing cells have it, and ``judged`` of all that were judged."""

    name: str
    value: str
    failing: int
    of: int
    judged: int


def traits(results: Iterable[Result]) -> tuple[Trait, ...]:
    """Those that set the failing cells apart most; none when nothing fails or nothing sets them apart."""
    judged = [one for one in results if one.status in (Status.PASSED, Status.FAILED)]
    failing = [one for one in judged if one.status is Status.FAILED]
    every, bad = _counted(judged), _counted(failing)
    found: list[tuple[float, Trait]] = []
    for name, values in bad.items():
        value, count = values.most_common(1)[0]
        share, usual = count / len(failing), every[name][value] / len(judged)
        if share >= _MOST_OF_THEM and usual <= share * _FEWER_ELSEWHERE:
            found.append((usual / share, Trait(name, value, count, len(failing), every[name][value])))
    found.sort(key=lambda one: one[0])
    return tuple(trait for _, trait in found[:MOST_TRAITS])


def _counted(results: Iterable[Result]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in results:
        for name, value in _of(one):
            counts[name][value] += 1
    return counts


def _of(one: Result) -> Iterator[tuple[str, str]]:
    yield "kind of client", _ROLE.sub("", one.client)
    yield "kind of address", _ROLE.sub("", one.destination)
    yield "client", one.client
    yield "address", one.destination
    yield "family", one.family
    yield "protocol", one.protocol
    yield "area", one.area
    yield "Service type", one.variant.type
    yield "session affinity", "ClientIP" if one.variant.affinity else "None"
    yield "internalTrafficPolicy", one.variant.internal_policy
    yield "externalTrafficPolicy", one.variant.external_policy
    for reason in one.account.reasons if one.account else ():
        if found := _DECIDES.search(reason.text):
            yield "node whose rules decide", found[1]
            return
