"""What numbers of dials prove: exact bounds, so that a healthy network is never blamed by chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

FALSE_ALARM = 1e-9


def unseen_bound(weights: Mapping[str, float], dials: int) -> float:
    """An upper bound of the probability that ``dials`` dials miss any of the endpoints, given each one's share."""
    return min(1.0, sum((1 - weight) ** dials for weight in weights.values()))


def skewed(counts: Mapping[str, int], weights: Mapping[str, float]) -> str | None:
    """The endpoint whose share of answers chance does not explain, or None.

    Each count is compared with its binomial distribution, both tails, exactly; the bounds of all endpoints together
    stay below `FALSE_ALARM`. A small sample never reaches it, so that nothing need be said about sample sizes.
    """
    total = sum(counts.values())
    threshold = FALSE_ALARM / (2 * max(1, len(weights)))
    # A tail is not below its first term: who was chosen as often as is likely needs no more terms.
    unlikely = {name: share for name, share in weights.items() if _mass(counts.get(name, 0), total, share) < threshold}
    tails = {name: _tail(counts.get(name, 0), total, share) for name, share in unlikely.items()}
    worst = min(tails, key=lambda name: (tails[name], name), default=None)
    return worst if worst is not None and tails[worst] < threshold else None


def _tail(count: int, total: int, share: float) -> float:
    """The smaller of P(X <= count) and P(X >= count) for X ~ Binomial(total, share)."""
    below = math.fsum(_mass(k, total, share) for k in range(count + 1))
    above = math.fsum(_mass(k, total, share) for k in range(count, total + 1))
    return min(below, above)


@lru_cache(maxsize=4096)
def _mass(k: int, total: int, share: float) -> float:
    if share >= 1:
        return 1.0 if k == total else 0.0
    ways = math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
    return math.exp(ways + k * math.log(share) + (total - k) * math.log1p(-share))
