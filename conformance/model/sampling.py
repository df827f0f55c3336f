"""How often one must dial to have seen what there is to see."""

from __future__ import annotations

import math

MISS = 1e-6


def dials_needed(endpoints: int, miss: float = MISS) -> int:
    """The fewest dials that leave any of ``endpoints`` equally likely ones unseen with probability <= ``miss``.

    The union bound ``k * (1 - 1/k)**n``: 21, 37, 53 dials for 2, 3, 4 endpoints at 1e-6. One endpoint, or none,
    needs one dial. ``ValueError`` unless 0 < ``miss`` < 1.
    """
    if not 0 < miss < 1:
        raise ValueError(f"a probability of missing lies strictly between 0 and 1, not {miss}")
    if endpoints < 2:
        return 1
    return max(1, math.ceil(math.log(miss / endpoints) / math.log1p(-1 / endpoints)))


def miss_bound(endpoints: int, dials: int) -> float:
    """An upper bound of the probability that ``dials`` dials leave one of ``endpoints`` equally likely ones unseen."""
    if endpoints < 2:
        return 0.0 if dials or not endpoints else 1.0
    return min(1.0, endpoints * math.exp(dials * math.log1p(-1 / endpoints)))
