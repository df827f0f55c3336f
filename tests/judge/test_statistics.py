"""The bounds hold: healthy networks are not blamed, sick ones are found."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from conformance.judge.statistics import FALSE_ALARM, skewed, unseen_bound


def binomial(n: int, k: int) -> float:
    return math.comb(n, k) * math.pow(0.5, n)


def test_two_endpoints_exactly() -> None:
    """For two equal endpoints the threshold is where both tails of both together reach the false-alarm bound."""
    total, weights = 100, {"a": 0.5, "b": 0.5}
    for count in range(total + 1):
        tail = min(
            sum(binomial(total, k) for k in range(count + 1)), sum(binomial(total, k) for k in range(count, total + 1))
        )
        found = skewed({"a": count, "b": total - count}, weights)
        assert (found is not None) == (tail < FALSE_ALARM / 4)


@pytest.mark.parametrize("endpoints", [1, 2, 3, 4, 8])
def test_fair_draws_are_never_blamed(endpoints: int) -> None:
    dice = random.Random(endpoints)
    names = [f"e{i}" for i in range(endpoints)]
    weights = dict.fromkeys(names, 1 / endpoints)
    for _ in range(50):
        assert skewed(Counter(dice.choices(names, k=400)), weights) is None


def test_a_small_sample_proves_nothing() -> None:
    assert skewed({"a": 21}, {"a": 0.5, "b": 0.5}) is None
    assert skewed({}, {"a": 0.5, "b": 0.5}) is None
    assert skewed({}, {}) is None


def test_the_chance_to_miss_an_endpoint() -> None:
    assert unseen_bound({"a": 0.5, "b": 0.5}, 21) == pytest.approx(2 * 0.5**21)
    assert unseen_bound({"a": 1.0}, 0) == 1.0
    assert unseen_bound({"a": 1.0}, 1) == 0.0
