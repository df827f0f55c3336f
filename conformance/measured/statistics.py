"""Quantiles and ratios with what is known of them: intervals by bootstrap. Pure; every draw is under a seed.

What is measured in one round shares that round's luck (a busy neighbour, a slow clock), so whole rounds are drawn with
replacement first and then dials within each (Davison and Hinkley, Bootstrap Methods, 3.8). Two series that were
measured in the same rounds are drawn together. Intervals are percentile intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
CONFIDENCE = 0.95
MOST_DRAWS = 1_000
"""Dials drawn of one round: more would not narrow what the rounds leave open."""

Rounds = Sequence[Sequence[int]]
Floats = NDArray[np.float64]


class Difference(Enum):
    """What an interval of a ratio says."""

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


def quantile(rounds: Rounds, level: float, *, seed: int = 0, confidence: float = CONFIDENCE) -> Interval | None:
    """The quantile ``level`` (0 to 1) of all dials together; None when there are none."""
    (mine,) = _kept(rounds)
    if not mine:
        return None
    drawn = _quantiles(mine, level, _rounds_drawn(len(mine), seed), seed)
    return _interval(_plain(mine, level), drawn, confidence)


def ratio(
    of: Rounds, to: Rounds, level: float, *, paired: bool = True, seed: int = 0, confidence: float = CONFIDENCE
) -> Interval | None:
    """The quantile of ``of`` over that of ``to``; None where one has no dials.

    ``paired``: round i of both was measured together.
    """
    mine, theirs = _kept(of, to) if paired else (*_kept(of), *_kept(to))
    if not mine or not theirs:
        return None
    first = _rounds_drawn(len(mine), seed)
    second = first if paired else _rounds_drawn(len(theirs), seed + 1)
    over, under = _quantiles(mine, level, first, seed), _quantiles(theirs, level, second, seed + 2)
    return _interval(_plain(mine, level) / _plain(theirs, level), over / under, confidence)


def product(
    of: tuple[Rounds, Rounds], to: tuple[Rounds, Rounds], level: float, *, seed: int = 0, confidence: float = CONFIDENCE
) -> Interval | None:
    """How the ratio ``of[0]/of[1]`` compares with ``to[0]/to[1]``, two benches apart; None where a series is missing.

    Each pair was measured together, so that what slows the whole machine down cancels.
    """
    parts = [_kept(*of), _kept(*to)]
    if not all(one for part in parts for one in part):
        return None
    found, drawn = [], []
    for number, (mine, floor) in enumerate(parts):
        chosen = _rounds_drawn(len(mine), seed + 10 * number)
        over = _quantiles(mine, level, chosen, seed + 10 * number)
        drawn.append(over / _quantiles(floor, level, chosen, seed + 10 * number + 1))
        found.append(_plain(mine, level) / _plain(floor, level))
    return _interval(found[0] / found[1], drawn[0] / drawn[1], confidence)


def _kept(*series: Rounds) -> list[list[Sequence[int]]]:
    """The rounds in which every one of the series has dials."""
    together = [each for each in zip(*series, strict=False) if all(each)]
    return [[each[i] for each in together] for i in range(len(series))]


def _plain(rounds: Sequence[Sequence[int]], level: float) -> float:
    return float(np.quantile(np.concatenate([np.asarray(each, dtype=np.float64) for each in rounds]), level))


def _rounds_drawn(count: int, seed: int) -> NDArray[np.int64]:
    """One row of round numbers a resample."""
    return np.random.default_rng(seed).integers(0, count, size=(RESAMPLES, count))


def _quantiles(rounds: Sequence[Sequence[int]], level: float, drawn: NDArray[np.int64], seed: int) -> Floats:
    """The quantile of every resample."""
    lengths = np.array([len(each) for each in rounds])
    flat = np.concatenate([np.asarray(each, dtype=np.float64) for each in rounds])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    dials = min(int(lengths.max()), MOST_DRAWS)
    rng = np.random.default_rng((seed, 1))
    found = np.empty(RESAMPLES)
    for number, row in enumerate(drawn):
        within = (rng.random((len(row), dials)) * lengths[row, None]).astype(np.int64)
        found[number] = np.quantile(flat[starts[row, None] + within], level)
    return found


def _interval(value: float, drawn: Floats, confidence: float) -> Interval:
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(value, min(float(low), value), max(float(high), value))
