"""The number of dials is derived: against the design's figures, the exact formula and a simulation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.model.sampling import dials_needed, miss_bound


def exact_miss(endpoints: int, dials: int) -> float:
    """Inclusion-exclusion: the probability that ``dials`` uniform draws leave some endpoint out."""
    return math.fsum(
        (-1) ** (j + 1) * math.comb(endpoints, j) * (1 - j / endpoints) ** dials for j in range(1, endpoints + 1)
    )


@pytest.mark.parametrize(("endpoints", "dials"), [(0, 1), (1, 1), (2, 21), (3, 37), (4, 53)])
def test_the_figures_of_the_design(endpoints: int, dials: int) -> None:
    assert dials_needed(endpoints) == dials


@given(st.integers(2, 200), st.floats(1e-9, 0.5))
def test_enough_and_not_one_too_many(endpoints: int, miss: float) -> None:
    dials = dials_needed(endpoints, miss)
    assert miss_bound(endpoints, dials) <= miss * (1 + 1e-9)
    assert dials == 1 or miss_bound(endpoints, dials - 1) > miss * (1 - 1e-9)


@given(st.integers(2, 12), st.integers(1, 60))
def test_the_bound_is_above_the_exact_probability(endpoints: int, dials: int) -> None:
    assert exact_miss(endpoints, dials) <= miss_bound(endpoints, dials) + 1e-9


@given(st.integers(2, 100), st.floats(1e-9, 0.4))
def test_more_endpoints_or_less_risk_never_take_fewer_dials(endpoints: int, miss: float) -> None:
    assert dials_needed(endpoints + 1, miss) >= dials_needed(endpoints, miss)
    assert dials_needed(endpoints, miss / 2) >= dials_needed(endpoints, miss)


def test_a_simulation_misses_no_more_than_promised() -> None:
    draw = random.Random(20261122)
    rounds, endpoints, miss = 4000, 3, 0.01
    dials = dials_needed(endpoints, miss)
    missed = sum(len({draw.randrange(endpoints) for _ in range(dials)}) < endpoints for _ in range(rounds))
    assert missed / rounds < miss + 4 * math.sqrt(miss / rounds)
    assert missed > 0


@pytest.mark.parametrize("miss", [0.0, 1.0, -1.0])
def test_an_impossible_probability_is_refused(miss: float) -> None:
    with pytest.raises(ValueError, match="strictly between"):
        dials_needed(2, miss)
