"""Quantiles and ratios with what is known of them: intervals by bootstrap. Pure; every draw is under a seed.

What is measured in one round shares that round's luck (a busy neighbour, a slow clock), so whole rounds are drawn with
replacement first and then dials within each (Davison and Hinkley, Bootstrap Methods, 3.8). Samples with the same seed
and the same rounds have the same rounds drawn, so that the ratio of what was measured side by side is that of pairs.
Intervals are percentile intervals; where more is asked of one than so many resamples can say, it reaches as far as a
normal distribution of their logarithms, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95
LEVELS = (0.01, 0.5, 0.9, 0.99)
MOST_DRAWN = 6000
"""Dials of one resample: more would not narrow what the rounds leave open."""
_AT_ONCE = 1 << 21
_RESOLVED = 20
"""Resamples beyond an end of an interval without which that end is no quantile of theirs, but chance."""

Floats = NDArray[np.float64]


class Difference(Enum):
    """What the interval of a ratio says."""

    LOWER = "lower"
    HIGHER = "higher"
    NONE = "no difference"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and where it lies with the confidence that was asked for."""

    value: float
    low: float
    high: float

    @property
    def difference(self) -> Difference:
        """Of a ratio: it differs from 1 only if the whole interval does."""
        if self.low > 1:
            return Difference.HIGHER
        return Difference.LOWER if self.high < 1 else Difference.NONE


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Quantiles at ``LEVELS``: ``plain`` of all that was measured, ``drawn`` of every resample (a row each)."""

    plain: Floats
    drawn: Floats

    def quantile(self, level: float, confidence: float = CONFIDENCE) -> Interval:
        """The quantile at one of ``LEVELS``."""
        at = LEVELS.index(level)
        return _interval(float(self.plain[at]), self.drawn[:, at], confidence)

    def over(self, other: Sample) -> Sample:
        """The ratio, quantile by quantile and resample by resample."""
        return Sample(self.plain / other.plain, self.drawn / other.drawn)


def sample(rounds: Sequence[Sequence[float]], salt: int, seed: int = 0) -> Sample | None:
    """Of the positive numbers by round; None when there are none.

    ``salt`` tells samples apart that have their rounds drawn together, ``seed`` those that must not.
    """
    kept = [mine for each in rounds if (mine := [one for one in each if one > 0])]
    if not kept:
        return None
    lengths = np.array([len(each) for each in kept])
    flat = np.concatenate([np.asarray(each, dtype=np.float64) for each in kept])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    chosen = np.random.default_rng(seed).integers(0, len(kept), size=(RESAMPLES, len(kept)))
    dials = max(1, min(int(lengths.max()), MOST_DRAWN // len(kept)))
    rng = np.random.default_rng((seed, salt, 1))
    found = np.empty((RESAMPLES, len(LEVELS)))
    step = max(1, _AT_ONCE // (len(kept) * dials))
    for first in range(0, RESAMPLES, step):
        rows = chosen[first : first + step]
        within = (rng.random((*rows.shape, dials)) * lengths[rows][..., None]).astype(np.int64)
        drawn = flat[starts[rows][..., None] + within].reshape(len(rows), -1)
        found[first : first + step] = np.quantile(drawn, LEVELS, axis=1).T
    return Sample(np.quantile(flat, LEVELS), found)


def _interval(value: float, drawn: Floats, confidence: float) -> Interval:
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    if tail * len(drawn) < _RESOLVED:
        reach = np.exp(NormalDist().inv_cdf(1 - tail) * np.log(drawn).std())
        low, high = min(low, value / reach), max(high, value * reach)
    return Interval(value, min(float(low), value), max(float(high), value))
