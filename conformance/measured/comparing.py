"""Two benches compared, with what the noise of both allows to say. Pure.

A machine that was slower altogether is no change of the cluster: each series is also compared by its ratio to the
loopback that was measured beside it. With many series one would differ by chance at 95 % each; so that all intervals
hold at once with that confidence, each is asked for that much more (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from conformance.measured.bench import Bench
from conformance.measured.figures import Figure, Key, Rung, Series, changes, latencies, over
from conformance.measured.lines import Way
from conformance.measured.losses import Rounds, losses
from conformance.measured.statistics import CONFIDENCE, Difference, Interval, Sample

T = TypeVar("T")
COMPARED = (0.5, 0.99)


@dataclass(frozen=True, slots=True)
class Compared:
    """One quantile after over before; ``by_machine`` the same of the ratios to the loopback, None of what has none."""

    place: str
    rung: Rung
    what: str
    level: float
    ratio: Interval
    by_machine: Interval | None

    @property
    def difference(self) -> Difference:
        """Higher or lower only where both ratios say so."""
        said = self.ratio.difference
        return said if self.by_machine is None or self.by_machine.difference is said else Difference.NONE


@dataclass(frozen=True, slots=True)
class Lost:
    """In how many rounds something was lost, before and after."""

    place: str
    rung: Rung
    what: str
    before: Rounds
    after: Rounds
    difference: Difference


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that both benches have; ``only_before`` and ``only_after`` what one of them lacks."""

    before: Bench
    after: Bench
    rows: tuple[Compared, ...]
    lost: tuple[Lost, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]

    @property
    def worse(self) -> tuple[Compared | Lost, ...]:
        """What a gate blocks on: what is slower, and what is lost more often."""
        every: tuple[Compared | Lost, ...] = (*self.rows, *self.lost)
        return tuple(row for row in every if row.difference is Difference.HIGHER)


def compare(before: Bench, after: Bench) -> Comparison:
    """Series by series, by place, rung, from where and to what; changes by their kind.

    Of a place that is alone in its bench the name does not count, so that a mode can be compared with another.
    """
    old, new = _samples(before, 1), _samples(after, 2)
    gone, missed = losses(before), losses(after)
    if len(before.header.places) == len(after.header.places) == 1:
        old, new, gone, missed = _nameless(old), _nameless(new), _nameless(gone), _nameless(missed)
    shared, counted = [key for key in new if key in old], [key for key in missed if key in gone]
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(shared) * len(COMPARED) + len(counted))
    rows = []
    for key in shared:
        (mine, machine), (was, old_machine) = new[key], old[key]
        ratio, by_machine = mine.over(was), over(machine, old_machine)
        for level in COMPARED:
            own = by_machine.quantile(level, confidence) if by_machine is not None else None
            rows.append(Compared(key[0], key[1], _text(key), level, ratio.quantile(level, confidence), own))
    lost = (
        Lost(key[0], key[1], _text(key), gone[key], missed[key], missed[key].difference(gone[key], confidence))
        for key in counted
    )
    lacks = [tuple(_named(key) for key in one if key not in other) for one, other in ((old, new), (new, old))]
    return Comparison(before, after, tuple(rows), tuple(lost), *lacks)


def _samples(bench: Bench, seed: int) -> dict[Key, tuple[Sample, Sample | None]]:
    def kept(one: Figure) -> bool:
        return one.series.way is not Way.LOOPBACK  # which is no part of the cluster

    found: dict[Key, tuple[Sample, Sample | None]] = {
        (f.place, f.rung, f.series): (f.sample, f.to_machine) for f in filter(kept, latencies(bench, seed))
    }
    found |= {(c.place, c.rung, c.change): (c.sample, None) for c in changes(bench, seed) if c.sample is not None}
    return found


def _nameless(every: Mapping[Key, T]) -> dict[Key, T]:
    return {("", rung, what): kept for (_, rung, what), kept in every.items()}


def _text(key: Key) -> str:
    return key[2].text if isinstance(key[2], Series) else key[2].value


def _named(key: Key) -> str:
    (services, endpoints), what = key[1], _text(key)
    return " ".join(filter(None, (key[0], f"{services} x {endpoints}", what)))
