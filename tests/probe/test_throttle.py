"""The agent's pace follows the answers: full speed while they are quick, a few dials while they are slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.probe.agent import engine
from conformance.probe.agent.engine import Throttle


def test_quick_answers_open_it_up_to_its_width() -> None:
    throttle = Throttle(64)
    assert throttle.limit == 16
    for _ in range(5000):
        throttle.answered(0.001)
    assert 63 < throttle.limit <= 64
    assert throttle.youth == 0.02


def test_one_stall_cuts_once_and_many_cut_to_the_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(engine, "clock", lambda: now)
    throttle = Throttle(64)
    for _ in range(50):
        throttle.answered(0.4)
    assert throttle.limit == 8
    for _ in range(20):
        now += 1.0
        throttle.answered(0.4)
    assert throttle.limit == 2
    assert throttle.youth == 1.0


@given(st.lists(st.floats(0, 10), max_size=300))
def test_it_always_lets_some_dials_through(times: list[float]) -> None:
    throttle = Throttle(64)
    for took in times:
        throttle.answered(took)
        assert 2 <= throttle.limit <= 64
        assert 0.02 <= throttle.youth <= 1.0
