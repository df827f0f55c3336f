"""Nights of one cluster: since when, wavering, slower, and not a word about noise."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from conformance.compare.history import CaseHistory, State, history
from conformance.model.result import Timing
from conformance.model.verdict import Status
from conformance.results.run import Run
from tests.reports.runs import HEADER, a_result, a_run

_STATUS = {".": Status.PASSED, "F": Status.FAILED, "U": Status.UNKNOWN, "K": Status.KNOWN_ISSUE}


def nights(marks: str, times: Sequence[float] = ()) -> list[Run]:
    """One run a mark; ``-`` is one without the case."""
    runs = []
    for number, mark in enumerate(marks):
        header = replace(HEADER, started=f"2026-11-{number // 24 + 1:02}T{number % 24:02}:00:00+00:00")
        timing = Timing(answers=5, median_ms=times[number]) if times else Timing()
        results = [] if mark == "-" else [replace(a_result(1, _STATUS[mark]), timing=timing)]
        runs.append(a_run([*results, a_result(2, Status.PASSED, area="other")], header=header))
    return runs


def case(marks: str, times: Sequence[float] = ()) -> CaseHistory:
    runs = nights(marks, times)
    random.Random(7).shuffle(runs)
    told = history(runs)
    assert len(told.started) == len(marks)
    return next(one for one in told.cases if one.case == "NP-01")


@pytest.mark.parametrize(
    ("marks", "state", "since", "turns"),
    [
        ("....", State.WELL, "", 0),
        (".KK.", State.WELL, "", 0),
        ("..FF", State.FAILING, "2026-11-01T02", 1),
        ("FFFF", State.FAILING, "2026-11-01T00", 0),
        ("..FUF", State.FAILING, "2026-11-01T02", 1),
        ("F.FF", State.FAILING, "2026-11-01T02", 2),
        (".F..", State.WELL, "", 2),
        (".F.F", State.FLAPPING, "2026-11-01T03", 3),
        (".F.F.", State.FLAPPING, "", 4),
        ("..U", State.LOST, "", 0),
        ("..-", State.LOST, "", 0),
        ("U", State.WELL, "", 0),
    ],
)
def test_what_is_said_of_a_case(marks: str, state: State, since: str, turns: int) -> None:
    one = case(marks)
    assert (one.state, one.since[:13], one.turns) == (state, since, turns)


def test_what_a_truncated_file_does_not_have_is_not_said_to_be_asked_no_more() -> None:
    *whole, last = nights("..-")
    told = history([*whole, Run(last.header, last.facts, last.results)])
    (one,) = (each for each in told.cases if each.case == "NP-01")
    assert (one.marks, one.state) == ("..-", State.WELL)


def test_the_worst_comes_first() -> None:
    told = history(nights("..FF"))
    assert [(one.case, one.state) for one in told.cases] == [("NP-01", State.FAILING), ("NP-02", State.WELL)]


def test_slower_is_said_when_it_is_sure_and_worth_a_word() -> None:
    chance = random.Random(3)
    noise = [chance.lognormvariate(0, 0.3) for _ in range(40)]
    assert case("." * 40, noise).state is State.WELL
    slow = [time * (3 if number >= 35 else 1) for number, time in enumerate(noise)]
    one = case("." * 40, slow)
    assert one.state is State.SLOWER
    assert one.times
    assert one.times[1] > 2 * one.times[0]
    assert case("." * 10, [1.0] * 5 + [9.0] * 5).state is State.WELL, "ten nights make nobody sure"
    assert case("." * 40, [1.0] * 35 + [1.01] * 5).state is State.WELL, "sure, and not worth a word"


def test_noise_alone_is_hardly_ever_called_slower() -> None:
    chance = random.Random(11)
    said = sum(
        case("." * 20, [chance.lognormvariate(0, 0.5) for _ in range(20)]).state is State.SLOWER for _ in range(300)
    )
    assert said <= 2
