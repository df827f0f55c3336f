"""The rank-sum test against every arrangement there is."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.compare.chance import SURE, greater

VALUES = st.lists(st.integers(0, 9), min_size=1, max_size=4)


@given(VALUES, VALUES)
def test_it_is_the_share_of_arrangements_that_are_as_extreme(later: list[int], earlier: list[int]) -> None:
    wins = sum(a > b for a in later for b in earlier)
    ranks = range(len(later) + len(earlier))
    arrangements = [
        sum(a > b for a in chosen for b in set(ranks) - set(chosen)) for chosen in combinations(ranks, len(later))
    ]
    share = sum(u >= wins for u in arrangements) / len(arrangements)
    assert greater(later, earlier) == pytest.approx(share)


def test_few_values_never_make_sure_and_enough_do() -> None:
    assert greater([9.0] * 5, [1.0] * 7) > SURE
    assert greater([9.0] * 5, [1.0] * 8) < SURE
    assert greater([9.0] * 5, [9.0] * 60) == 1.0
    assert greater([], [1.0]) == greater([1.0], []) == 1.0
