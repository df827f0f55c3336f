"""Medians and their ratios, with intervals by bootstrap over rounds: what shares a round shares its luck."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

RESAMPLES, TAIL = 2000, 0.025


@dataclass(frozen=True, slots=True)
class Between:
    """An estimate and its interval of 95 %."""

    value: float
    low: float
    high: float

    def words(self, digits: int = 0) -> str:
        """E.g. ``1.24 (1.20..1.31)``."""
        return f"{self.value:,.{digits}f} ({self.low:,.{digits}f}..{self.high:,.{digits}f})"


def typical(rounds: Sequence[float]) -> Between:
    """The median of the rounds."""
    return _bootstrap(rounds)


def ratio(these: Sequence[float], those: Sequence[float]) -> Between:
    """How many times as much ``these`` are as ``those`` of the same rounds: the median of the rounds' own ratios."""
    return _bootstrap([one / other for one, other in zip(these, those, strict=True)])


def _bootstrap(values: Sequence[float]) -> Between:
    draw = random.Random(0)
    drawn = sorted(median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Between(median(values), drawn[int(TAIL * RESAMPLES)], drawn[int((1 - TAIL) * RESAMPLES) - 1])
