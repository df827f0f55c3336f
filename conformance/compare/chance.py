"""Whether a difference is more than noise: the rank-sum test of Mann and Whitney, exact."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import comb

SURE = 0.001
"""Said of one case in a thousand by chance: a night has hundreds of cases."""


def greater(later: Sequence[float], earlier: Sequence[float]) -> float:
    """The probability, if all came from one source, that ``later`` ranks as high above ``earlier`` as it does.

    Exact for a hundred values together: U counts the pairs in which the later is greater, and each arrangement of the
    ranks is as likely as any other (Mann and Whitney 1947). Ties count against a difference.
    """
    if not later or not earlier:
        return 1.0
    wins = sum(a > b for a in later for b in earlier)
    m, n = len(later), len(earlier)
    tail = sum(_ways(u, m, n) for u in range(wins, m * n + 1))
    return float(Fraction(tail, comb(m + n, m)))


@cache
def _ways(u: int, m: int, n: int) -> int:
    """In how many arrangements of ``m`` later and ``n`` earlier values the later ones win ``u`` pairs."""
    if u < 0:
        return 0
    if m == 0 or n == 0:
        return int(u == 0)
    return _ways(u - n, m - 1, n) + _ways(u, m, n - 1)
