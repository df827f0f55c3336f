"""What was lost in two benches, compared with what the noise of both allows to say. Pure.

What is lost in one round shares that round's cause, so rounds are counted, not dials: those in which anything was lost.
If both benches were alike, how many of these are the later one's would be a matter of chance, and of a known one: that
of drawing them from all rounds (Fisher's exact test).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

from conformance.measured.bench import Bench
from conformance.measured.figures import Key, Series, changes
from conformance.measured.lines import Latency, Way
from conformance.measured.statistics import Difference


@dataclass(frozen=True, slots=True)
class Rounds:
    """In ``touched`` of ``every`` round something was lost; of a change: some node never acted on it."""

    touched: int
    every: int

    def difference(self, before: Rounds, confidence: float) -> Difference:
        """Whether more of these rounds are touched, or fewer, than chance makes of ``before``."""
        tail = (1 - confidence) / 2
        if _as_many(self, before) <= tail:
            return Difference.HIGHER
        return Difference.LOWER if _as_many(before, self) <= tail else Difference.NONE


def _as_many(mine: Rounds, others: Rounds) -> float:
    """The probability that of all touched rounds at least so many are mine, if who has them is chance."""
    touched, every = mine.touched + others.touched, mine.every + others.every
    ways = (comb(mine.every, n) * comb(others.every, touched - n) for n in range(mine.touched, touched + 1))
    return sum(ways) / comb(every, touched)


def losses(bench: Bench) -> Mapping[Key, Rounds]:
    """By series and by kind of change; also of those of which nothing was left to measure."""
    touched, every = Counter[Key](), Counter[Key]()
    for one in bench.of(Latency):
        if one.way is not Way.LOOPBACK:
            key = one.place, (one.services, one.endpoints), Series(one.seat, one.way, one.protocol)
            touched[key] += one.lost > 0
            every[key] += 1
    dialled: dict[Key, Rounds] = {key: Rounds(touched[key], count) for key, count in every.items()}
    return dialled | {(c.place, c.rung, c.change): Rounds(c.touched, len(c.rounds)) for c in changes(bench)}
