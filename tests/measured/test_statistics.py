"""Quantiles, ratios and their intervals."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.measured.statistics import LEVELS, Difference, Interval, sample

MEASURED = st.lists(st.lists(st.integers(1, 10**9), max_size=8), min_size=1, max_size=5).filter(any)
FEW = settings(max_examples=12, deadline=None)


@FEW
@given(MEASURED, st.integers(0, 3))
def test_an_interval_holds_its_estimate_and_lies_among_what_was_measured(rounds: list[list[int]], salt: int) -> None:
    made = sample(rounds, salt)
    assert made
    every = [one for each in rounds for one in each]
    values = [made.quantile(level) for level in LEVELS]
    for one in values:
        assert min(every) * (1 - 1e-9) <= one.low <= one.value <= one.high <= max(every) * (1 + 1e-9)
    assert [one.value for one in values] == sorted(one.value for one in values)


@FEW
@given(MEASURED, st.integers(2, 9))
def test_a_ratio_takes_what_is_common_out(rounds: list[list[int]], times: int) -> None:
    """The same numbers, each so many times as long, with the same salt: nothing is left to chance."""
    slow, fast = sample([[times * one for one in each] for each in rounds], 0), sample(rounds, 0)
    assert slow
    assert fast
    found = slow.over(fast).quantile(0.5)
    assert found.low == pytest.approx(times)
    assert found.high == pytest.approx(times)
    assert found.difference is Difference.HIGHER


def test_what_was_measured_in_the_same_rounds_is_compared_within_them() -> None:
    """The rounds differ by a factor of ten, the two series by a tenth: pairs see it, strangers do not."""
    rng = random.Random(3)
    luck = [10 ** rng.uniform(0, 1) for _ in range(20)]
    ones = [[1000 * each * rng.uniform(0.99, 1.01) for _ in range(20)] for each in luck]
    others = [[1100 * each * rng.uniform(0.99, 1.01) for _ in range(20)] for each in luck]
    paired = [sample(ones, 1), sample(others, 2)]
    strangers = [sample(ones, 1, seed=1), sample(others, 2, seed=2)]
    assert all(paired)
    assert all(strangers)
    ratio = [two[1].over(two[0]).quantile(0.5) for two in (paired, strangers) if two[0] and two[1]]
    assert ratio[0].difference is Difference.HIGHER
    assert ratio[1].difference is Difference.NONE
    assert ratio[0].high - ratio[0].low < (ratio[1].high - ratio[1].low) / 3


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 40 experiments whose median is known, 95 % are 38; fewer than 32 would be less than one in a thousand."""
    covered = 0
    for seed in range(40):
        rng = random.Random(seed)
        rounds = [
            [1000 * rng.lognormvariate(luck, 0.2) for _ in range(6)] for luck in (rng.gauss(0, 0.1) for _ in range(20))
        ]
        made = sample(rounds, seed)
        assert made
        interval = made.quantile(0.5)
        covered += interval.low <= 1000 <= interval.high
    assert covered >= 32


def test_an_interval_reaches_as_far_as_is_asked_and_not_only_as_far_as_was_drawn() -> None:
    """A thousandth of the error takes half as much again, though no resample lies there: 5.07 over 3.29 deviations."""
    rng = random.Random(4)
    made = sample([[1000 * rng.lognormvariate(0, 0.2) for _ in range(10)] for _ in range(30)], 1)
    assert made
    few, fewer = (made.quantile(0.5, 1 - error) for error in (1e-3, 4e-7))
    assert fewer.high - fewer.low > 1.4 * (few.high - few.low)


def test_nothing_measured_is_no_sample() -> None:
    assert sample([], 0) is None
    assert sample([[], []], 0) is None
    assert sample([[0, -3], []], 0) is None, "no time that anything takes"


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (Interval(0.8, 0.7, 0.9), Difference.LOWER),
        (Interval(0.8, 0.7, 1.0), Difference.NONE),
        (Interval(1.2, 1.0, 1.3), Difference.NONE),
        (Interval(1.2, 1.1, 1.3), Difference.HIGHER),
    ],
)
def test_only_a_whole_interval_says_that_there_is_a_difference(interval: Interval, said: Difference) -> None:
    assert interval.difference is said
