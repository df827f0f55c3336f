"""The numbers of a bench, series by series, as tables and plots show them. Pure."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from conformance.measured.bench import Bench
from conformance.measured.lines import Change, Latency, Programmed, Seat, Way
from conformance.measured.statistics import Difference, Sample, sample
from conformance.model.addresses import Protocol

Rung = tuple[int, int]
"""(Services, endpoints of each)."""


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of dial: from where, to what."""

    seat: Seat
    way: Way
    protocol: Protocol

    @property
    def text(self) -> str:
        """As tables name it."""
        return f"{self.seat.value} {self.way.value} {self.protocol.value}"


_THROUGH = (Way.CLUSTER_IP, Way.NODE_PORT)
Key = tuple[str, Rung, Series | Change]
"""What is measured, where, and on which rung."""
SERIES = tuple(Series(seat, way, protocol) for seat in Seat for way in Way for protocol in (Protocol.TCP, Protocol.UDP))


@dataclass(frozen=True, slots=True)
class Figure:
    """One series of one place at one rung; ``sample`` is in nanoseconds.

    ``to_floor`` is its ratio to the direct dials beside it, ``to_machine`` to those of the pod's own loopback; None
    where there are none.
    """

    place: str
    rung: Rung
    series: Series
    rounds: Sequence[Sequence[int]]
    lost: int
    sample: Sample
    to_floor: Sample | None
    to_machine: Sample | None


@dataclass(frozen=True, slots=True)
class Versus:
    """One place's quantiles over another's; ``by_machine`` that of their ratios to the loopback, if there are."""

    rung: Rung
    series: Series
    of: str
    to: str
    ratio: Sample
    by_machine: Sample | None

    def difference(self, level: float) -> Difference:
        """Higher or lower only where both say so: places may differ before any rule comes into it."""
        said, own = self.ratio.quantile(level).difference, self.by_machine
        return said if own is None or own.quantile(level).difference is said else Difference.NONE


@dataclass(frozen=True, slots=True)
class Changed:
    """How soon nodes acted on one kind of change, in seconds: each is a round of its nodes; ``missing`` never did.

    ``touched`` are the changes that some node missed.
    """

    place: str
    rung: Rung
    change: Change
    rounds: Sequence[Sequence[float]]
    missing: int
    touched: int
    sample: Sample | None

    @property
    def seconds(self) -> list[float]:
        """All of them."""
        return list(chain.from_iterable(self.rounds))


def latencies(bench: Bench, seed: int = 0) -> list[Figure]:
    """By rung, series and place. ``seed``: benches that are compared must not have the same rounds drawn."""
    rounds: dict[tuple[Rung, Series, str], dict[int, Sequence[int]]] = defaultdict(dict)
    lost: dict[tuple[Rung, Series, str], int] = defaultdict(int)
    for one in bench.of(Latency):
        key = (one.services, one.endpoints), Series(one.seat, one.way, one.protocol), one.place
        rounds[key][one.round] = one.nanoseconds
        lost[key] += one.lost
    samples = {key: sample(_in_order(mine), _salt(key), seed) for key, mine in rounds.items()}
    found = []
    for key in _sorted(rounds, bench):
        (rung, series, place), mine = key, samples[key]
        if mine is None:
            continue
        floor = samples.get((rung, Series(series.seat, Way.DIRECT, series.protocol), place))
        machine = samples.get((rung, Series(Seat.POD, Way.LOOPBACK, series.protocol), place))
        to_floor = mine.over(floor) if floor is not None and series.way in _THROUGH else None
        to_machine = mine.over(machine) if machine is not None and series.way is not Way.LOOPBACK else None
        found.append(Figure(place, rung, series, _in_order(rounds[key]), lost[key], mine, to_floor, to_machine))
    return found


def over(of: Sample | None, to: Sample | None) -> Sample | None:
    """The ratio of two samples where there are two."""
    return of.over(to) if of is not None and to is not None else None


def versus(figures: Sequence[Figure], bench: Bench) -> list[Versus]:
    """Every two places, the first named over the later, by rung and series."""
    known = {(f.rung, f.series, f.place): f for f in figures}
    found = []
    for rung, series in dict.fromkeys((f.rung, f.series) for f in figures):
        for of, to in combinations([place.name for place in bench.header.places], 2):
            mine, theirs = known.get((rung, series, of)), known.get((rung, series, to))
            if mine is not None and theirs is not None:
                own = over(mine.to_machine, theirs.to_machine)
                found.append(Versus(rung, series, of, to, mine.sample.over(theirs.sample), own))
    return found


def changes(bench: Bench, seed: int = 0) -> list[Changed]:
    """By rung, kind and place, all nodes together; each change is a round, for its nodes share its luck."""
    every: dict[tuple[Rung, Change, str], list[Programmed]] = defaultdict(list)
    for one in bench.of(Programmed):
        every[(one.services, one.endpoints), one.change, one.place].append(one)
    places = [place.name for place in bench.header.places]
    kinds = list(Change)
    found = []
    for rung, change, place in sorted(every, key=lambda k: (k[0][1], k[0][0], kinds.index(k[1]), places.index(k[2]))):
        members = every[rung, change, place]
        nodes = len({one.node for one in members})
        # What the runner's clock could not tell apart from nothing is the least that it could.
        rounds = [
            [max(one.seconds, 1e-6) for one in members[at : at + nodes] if one.seconds is not None]
            for at in range(0, len(members), nodes)
        ]
        missing = sum(one.seconds is None for one in members)
        kept = sample(rounds, _salt((rung, change, place)), seed)
        touched = sum(len(each) < nodes for each in rounds)
        found.append(Changed(place, rung, change, rounds, missing, touched, kept))
    return found


def _sorted(keys: Mapping[tuple[Rung, Series, str], object], bench: Bench) -> Iterator[tuple[Rung, Series, str]]:
    places = [place.name for place in bench.header.places]
    for rung in sorted({rung for rung, _, _ in keys}, key=lambda r: (r[1], r[0])):
        yield from ((rung, s, p) for s in SERIES for p in places if (rung, s, p) in keys)


def _in_order(rounds: Mapping[int, Sequence[int]]) -> list[Sequence[int]]:
    return [rounds[number] for number in sorted(rounds)]


def _salt(key: object) -> int:
    return zlib.crc32(repr(key).encode())
