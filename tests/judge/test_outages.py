"""What is said of traffic that was watched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge.finding import longest_silence
from conformance.judge.outages import Outage, of_flow, of_new, worst
from conformance.model.observation import Dial, End

TICK = 0.25


def dials(pattern: str, *, took: float = 0.0) -> list[Dial]:
    """A dial every `TICK` seconds: a letter for the endpoint that answered, a dot for silence."""
    return [
        Dial(End.TIMEOUT, at=at * TICK, took=took)
        if letter == "."
        else Dial(End.ANSWERED, endpoint=letter, at=at * TICK, took=took)
        for at, letter in enumerate(pattern)
    ]


@pytest.mark.parametrize(
    ("pattern", "seconds"),
    [("", 0.0), ("aaaa", 0.0), ("a.a", 0.25), ("a..a.a", 0.5), ("..a", 0.5), ("a...", 0.5), ("...", 0.5), (".", 0.0)],
)
def test_silence_lasts_from_its_first_dial_to_the_next_answer(pattern: str, seconds: float) -> None:
    assert longest_silence(dials(pattern)) == seconds
    assert longest_silence(reversed(dials(pattern))) == seconds, "results come in any order"


@given(st.text("ab.", max_size=30))
def test_no_silence_is_longer_than_all_and_none_is_where_all_answer(pattern: str) -> None:
    found = longest_silence(dials(pattern))
    assert 0 <= found <= TICK * max(0, len(pattern) - 1)
    assert (found > 0) == ("." in pattern[:-1])


def test_new_connections_may_end_anywhere_and_are_back_when_the_last_window_is_whole() -> None:
    whole = of_new("x", [dials("ab"), dials(".b"), dials("aa")])
    assert (whole.asked, whole.lost, whole.broken, whole.back, whole.clean) == (6, 1, 0, True, False)
    assert not of_new("x", [dials("aa"), dials("a.")]).back
    assert not of_new("x", []).back
    assert of_new("x", [dials("aa")]).clean


def test_a_flow_that_moves_or_stalls_is_noticed() -> None:
    assert of_flow("x", [dials("aa"), dials("aa")]).clean
    moved = of_flow("x", [dials("aa"), dials("bb")])
    assert (moved.broken, moved.lost, moved.back) == (1, 0, True)
    stalled = of_flow("x", [dials("a", took=2.0)])
    assert (stalled.seconds, stalled.broken) == (2.0, 0)


def outage(*, seconds: float = 0.0, broken: int = 0, back: bool = True, trouble: str = "") -> Outage:
    return Outage("x", 1, 0, seconds, back, "", broken, trouble)


@pytest.mark.parametrize(
    ("one", "most", "bad"),
    [
        (outage(seconds=9, broken=3), None, False),
        (outage(back=False), None, True),
        (outage(seconds=2), 2.0, False),
        (outage(seconds=2.1), 2.0, True),
        (outage(broken=1), 2.0, True),
        (outage(back=False, trouble="the pod is gone"), 0.0, False),
    ],
)
def test_what_is_not_to_be_borne(one: Outage, most: float | None, bad: bool) -> None:
    assert (worst([one], most) == [one]) is bad
