"""Many runs of one cluster over time, case by case: since when it fails, whether it wavers, whether it is slower."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from statistics import median

from conformance.compare.chance import SURE, greater
from conformance.model.result import Result
from conformance.model.verdict import Status
from conformance.results.run import Run

LATELY, BEFORE = 5, 60
"""Runs: the newest, and those before them that they are compared with when asked whether a case is slower."""
WORTH = 1.2
"""How many times as long is worth a word, however sure it is."""
FLAPS = 3
"""So many turns between passing and failing are no longer a fault that came or went."""


class State(Enum):
    """What is to be said of a case, the worst first."""

    FAILING = "failing"
    FLAPPING = "flapping"
    SLOWER = "slower"
    LOST = "not asked"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A case in all runs, one letter each in ``marks``.

    ``.`` passed, ``F`` failed, blank not judged, ``-`` not in the part that is left of a truncated file.
    ``since`` is the start of the first run of its present failing, ``turns`` how often passing and failing took turns.
    ``times`` are milliseconds, before and lately, where it is slower.
    """

    case: str
    area: str
    promise: str
    state: State
    marks: str
    since: str = ""
    turns: int = 0
    times: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class History:
    """All cases, the worst first, over the runs that began at ``started``."""

    started: tuple[str, ...]
    cases: tuple[CaseHistory, ...]


def history(runs: Iterable[Run]) -> History:
    """What ``runs`` of one cluster, in any order, say of each case."""
    ordered = sorted(runs, key=lambda run: run.header.started)
    by_case: dict[str, list[list[Result]]] = {}
    cut = [run.footer is None for run in ordered]
    for number, run in enumerate(ordered):
        for one in run.results:
            by_case.setdefault(one.case, [[] for _ in ordered])[number].append(one)
    starts = tuple(run.header.started for run in ordered)
    cases = [_of(nights, cut, starts) for nights in by_case.values()]
    order = {state: number for number, state in enumerate(State)}
    return History(starts, tuple(sorted(cases, key=lambda one: (order[one.state], one.case))))


def _of(nights: Sequence[Sequence[Result]], cut: Sequence[bool], starts: Sequence[str]) -> CaseHistory:
    last = next(night for night in reversed(nights) if night)[0]
    marks = "".join("-" if gone and not night else _mark(night) for night, gone in zip(nights, cut, strict=True))
    judged = marks.replace(" ", "").replace("-", "")
    now = marks.rstrip("-")[-1:]
    turns = sum(a != b for a, b in pairwise(judged))
    times = _slower(nights)
    if now == " ":
        state = State.LOST if judged else State.WELL
    elif turns >= FLAPS:
        state = State.FLAPPING
    elif now == "F":
        state = State.FAILING
    else:
        state = State.SLOWER if times else State.WELL
    since = starts[_first_failing(marks)] if now == "F" else ""
    slower = times if state is State.SLOWER else None
    return CaseHistory(last.case, last.area, last.promise, state, marks, since, turns, slower)


def _mark(night: Sequence[Result]) -> str:
    statuses = {one.status for one in night}
    if Status.FAILED in statuses:
        return "F"
    return "." if statuses & {Status.PASSED, Status.KNOWN_ISSUE} else " "


def _first_failing(marks: str) -> int:
    """The first run of the failing that goes on to the last; runs that did not judge do not end it."""
    passed = marks.rfind(".")
    return marks.index("F", passed + 1)


def _slower(nights: Sequence[Sequence[Result]]) -> tuple[float, float] | None:
    """How long answers took before and take lately; None unless the newest runs are surely and notably slower.

    Of each run one number counts, the median over its cells of their median answer: cells of a run are not independent.
    """
    times = [time for time in map(_time, nights) if time is not None]
    earlier, lately = times[:-LATELY][-BEFORE:], times[-LATELY:]
    if not earlier or greater(lately, earlier) > SURE:
        return None
    before, now = median(earlier), median(lately)
    return (before, now) if now > WORTH * before else None


def _time(night: Sequence[Result]) -> float | None:
    answered = [one.timing.median_ms for one in night if one.timing.answers and one.status is Status.PASSED]
    return median(answered) if answered else None
