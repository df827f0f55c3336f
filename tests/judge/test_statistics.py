"""The bounds hold: healthy networks are not blamed, sick ones are found."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=5).filter(any),
    st.lists(st.integers(1, 9), min_size=5, max_size=5),
)
def test_what_is_passed_over_as_likely_would_not_have_been_blamed(seen: list[int], parts: list[int]) -> None:
    shares = parts[: len(seen)]
    weights = {f"e{i}": part / sum(shares) for i, part in enumerate(shares)}
    counts = {f"e{i}": count for i, count in enumerate(seen)}
    total, threshold = sum(seen), FALSE_ALARM / (2 * len(weights))
    below = {n: math.fsum(mass(k, total, weights[n]) for k in range(counts[n] + 1)) for n in weights}
    above = {n: math.fsum(mass(k, total, weights[n]) for k in range(counts[n], total + 1)) for n in weights}
    odd = {n for n in weights if min(below[n], above[n]) < threshold}
    blamed = skewed(counts, weights)
    assert (blamed is None) == (not odd)
    assert blamed is None or blamed in odd


def mass(k: int, total: int, share: float) -> float:
    return math.comb(total, k) * share**k * (1 - share) ** (total - k)
