"""Probable causes in words: each with what it explains, and how much speaks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance.compatibility.diagnosis import Diagnosis, Found
from conformance.spec.causes import Cause
from reports.markdown import HEAD, row

MOST_CASES = 8
_INTRO = """\
# Probable causes

What may be behind failures, by what it breaks and what it spares: [compatibility.md](compatibility.md) says how a run's
cells are compared with it.

| | what it is | how it comes about | what to do |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A cause as a reader gets it; ``headline`` is one line, ``links`` where it is written."""

    headline: str
    evidence: str
    told: str
    remedy: str
    links: tuple[str, ...]


def told(diagnosis: Diagnosis) -> Iterator[Told]:
    """Each probable cause, the one that was found first first."""
    for found in diagnosis.found:
        cause = found.cause
        yield Told(headline(found, len(diagnosis.failed)), evidence(found), f"{cause.told}.", cause.remedy, cause.links)


def headline(found: Found, failed: int) -> str:
    """Its name, where it holds, and what it explains."""
    return f"{name(found)} (explains {len(found.explained)} of {failed} failed cells)"


def short(found: Found, failed: int) -> str:
    """The same for a line that may be cut short: what matters most first."""
    where = f" ({', '.join(found.only[1])})" if found.only else ""
    return f"of {len(found.explained)}/{failed}{where}: {found.cause.name}"


def name(found: Found) -> str:
    """Its name, and where it holds if not everywhere."""
    where = f", {found.only[0].value.replace('-', ' ')} {' and '.join(found.only[1])} only" if found.only else ""
    return f"{found.cause.name}{where}"


def evidence(found: Found) -> str:
    """What was counted, for it and against it."""
    more = len(found.explained) - found.failing
    also = f", and {more} more that it may break" if more else ""
    return (
        f"{found.failing} of the {found.like} cells that it would break fail so{also}; "
        f"{found.spared} of the {found.apart} that it spares pass"
    )


def unexplained(diagnosis: Diagnosis) -> str:
    """What no cause explains, by case; empty when that is nothing."""
    if not diagnosis.unexplained:
        return ""
    cases = Counter(one.case for one in diagnosis.unexplained).most_common()
    named = ", ".join(f"{case} {count}x" for case, count in cases[:MOST_CASES])
    more = f" and {len(cases) - MOST_CASES} more cases" if len(cases) > MOST_CASES else ""
    return f"{len(diagnosis.unexplained)} of {len(diagnosis.failed)} failed cells are not explained: {named}{more}"


def page(causes: Iterable[Cause]) -> str:
    """The page that lists the causes that the kit knows."""
    rows = []
    for one in causes:
        links = " ".join(f"<{link}>" for link in one.links)
        rows.append(row(f"`{one.id}`", one.name, f"{one.told}.", f"{one.remedy} {links}"))
    return f"{HEAD}\n{_INTRO}" + "\n".join(rows) + "\n"
