"""A bench's numbers as tables, which the terminal, Markdown and the page render alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from conformance.measured.bench import Bench
from conformance.measured.figures import Changed, Figure, Rung, Versus, changes, latencies, versus
from conformance.measured.lines import Flow, Growth, Load, Metric, Overhead, Restart, Weight
from conformance.measured.statistics import Difference, Interval

P1, P50, P90, P99 = 0.01, 0.5, 0.9, 0.99
_DASH = "-"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Table:
    """``note`` says what the numbers are; the first ``labels`` columns are words, the others numbers."""

    title: str
    note: str
    labels: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a bench comes to, computed once for all its reports."""

    bench: Bench
    latencies: Sequence[Figure]
    versus: Sequence[Versus]
    changes: Sequence[Changed]

    @classmethod
    def of(cls, bench: Bench) -> Numbers:
        """All of them."""
        figures = latencies(bench)
        return cls(bench, figures, versus(figures, bench), changes(bench))


def tables(numbers: Numbers) -> Iterator[Table]:
    """All that has rows."""
    bench = numbers.bench
    yield from (
        table
        for table in (
            _latencies(numbers.latencies),
            _versus(numbers.versus),
            changed(numbers.changes),
            _proxies(bench),
            _loads(bench),
            _flows(bench),
            _metrics(bench),
            _overheads(bench),
        )
        if table.rows
    )


def size(rung: Rung) -> str:
    """``1,000``, or ``1,000 x 10`` with the endpoints of each."""
    services, endpoints = rung
    return f"{services:,}" + (f" x {endpoints}" if endpoints > 1 else "")


def ranged(interval: Interval | None, digits: int = 2) -> str:
    """``0.85 (0.82..0.88)``."""
    if interval is None:
        return _DASH
    low, high = f"{interval.low:.{digits}f}", f"{interval.high:.{digits}f}"
    return f"{interval.value:.{digits}f} ({low}..{high})"


def said(one: Versus, level: float) -> str:
    """What two places differ by, in a word."""
    difference = one.difference(level)
    return "=" if difference is Difference.NONE else difference.value


def micro(nanoseconds: Interval) -> Interval:
    """Nanoseconds as microseconds."""
    return Interval(nanoseconds.value / 1e3, nanoseconds.low / 1e3, nanoseconds.high / 1e3)


def _latencies(figures: Sequence[Figure]) -> Table:
    rows = []
    for one in figures:
        p1, p50, p90, p99 = (micro(one.sample.quantile(level)) for level in (P1, P50, P90, P99))
        floor = [ranged(one.to_floor.quantile(level)) if one.to_floor else _DASH for level in (P50, P99)]
        numbers = (f"{p1.value:.1f}", ranged(p50, 1), f"{p90.value:.1f}", ranged(p99, 1), *floor, str(one.lost))
        series = (one.series.seat.value, one.series.way.value, one.series.protocol.value)
        rows.append((size(one.rung), *series, one.place, *numbers))
    return Table(
        "First packets",
        "Microseconds of a TCP connect(), or of a UDP datagram and its answer, each from a new port to a Service drawn "
        "at random; in parentheses 95 % intervals. The floor is the same dial straight to the pod (direct); in iptables"
        " mode it passes the chain of all Services, too. What no rule touches is the pod's own loopback.",
        5,
        ("Services", "from", "to", "", "mode", "p1", "p50", "p90", "p99", "p50 / floor", "p99 / floor", "lost"),
        tuple(rows),
    )


def _versus(every: Sequence[Versus]) -> Table:
    rows = []
    for one in every:
        series = (one.series.seat.value, one.series.way.value, one.series.protocol.value)
        rows.append((size(one.rung), *series, f"{one.of} / {one.to}", *_told(one, P50), *_told(one, P99)))
    return Table(
        "Modes side by side",
        "Ratios of what was measured in the same rounds, and of the ratios to what the client pod's own loopback took "
        "in them; below 1 the first is faster. It is called lower or higher only if both 95 % intervals say so.",
        5,
        ("Services", "from", "to", "", "modes", "p50", "by loopback", "", "p99", "by loopback", ""),
        tuple(rows),
    )


def _told(one: Versus, level: float) -> tuple[str, str, str]:
    own = one.by_machine.quantile(level) if one.by_machine is not None else None
    return ranged(one.ratio.quantile(level)), ranged(own), said(one, level)


def changed(every: Sequence[Changed], *, intervals: bool = True) -> Table:
    """How soon nodes acted on changes; without ``intervals`` it is narrower."""
    rows = []
    for one in every:
        if one.sample:
            p50, p90 = (one.sample.quantile(level) for level in (P50, P90))
            shown = [ranged(i, 3) if intervals else f"{i.value:.3f}" for i in (p50, p90)]
            numbers = (*shown, f"{max(one.seconds):.3f}")
        else:
            numbers = (_DASH, _DASH, _DASH)
        rows.append((size(one.rung), one.change.value, one.place, *numbers, str(len(one.seconds)), str(one.missing)))
    return Table(
        "From a change until nodes act on it",
        "Seconds from a request to the API until a node acts on it; quantiles of all nodes and changes together.",
        3,
        ("Services", "change", "mode", "p50", "p90", "longest", "seen", "never"),
        tuple(rows),
    )


def _proxies(bench: Bench) -> Table:
    rows = []
    growths = {(g.place, g.services, g.endpoints): g for g in bench.of(Growth)}
    restarts = {(r.place, r.services, r.endpoints): r for r in bench.of(Restart)}
    weights: dict[tuple[str, int, int], list[Weight]] = {}
    for one in bench.of(Weight):
        weights.setdefault((one.place, one.services, one.endpoints), []).append(one)
    for key in _rungs(weights, bench):
        mine, growth, restart = weights[key], growths.get(key), restarts.get(key)
        first = mine[0]
        spent = [b.cpu_seconds - a.cpu_seconds for a, b in pairwise(mine) if a.cpu_seconds and b.cpu_seconds]
        rows.append(
            (
                size(key[1:]),
                key[0],
                _number(first.rules),
                _number(first.elements),
                _number(first.resident_bytes and first.resident_bytes / 2**20),
                f"{sum(spent):.1f}" if spent else _DASH,
                f"{growth.created:,} in {growth.api_seconds:.1f}" if growth else _DASH,
                f"{growth.programmed_seconds:.1f}" if growth else _DASH,
                _seconds(restart.seconds if restart else None),
                _seconds(restart.full_syncs if restart else None),
            )
        )
    return Table(
        "What a proxy weighs",
        "Of the dialling node: rules and elements of sets and maps in the kernel (one family), memory (MiB) and CPU "
        "seconds of the proxy's own process while the changes above were made (without the programs that it runs); "
        "seconds until the API had taken the new Services, then until every node served the last; seconds "
        "from its deletion until its successor acts on a change, and of its full syncs (both families together).",
        2,
        (
            "Services",
            "mode",
            "rules",
            "elements",
            "MiB",
            "CPU s",
            "created in s",
            "served after s",
            "restart s",
            "full syncs s",
        ),
        tuple(rows),
    )


def _loads(bench: Bench) -> Table:
    rows = [
        (
            size((one.services, one.endpoints)),
            one.under.value,
            one.place,
            f"{one.opened / one.seconds:,.0f}" if one.seconds else _DASH,
            str(one.refused),
            str(one.lost),
            f"{one.changes:.0f}",
        )
        for one in bench.of(Load)
    ]
    return Table(
        "New connections under load",
        "As many TCP connections as one process of Python opens: the rate is that process's limit at least as much as "
        "the data plane's. Lost: no answer within 0.9 s, when the first SYN would be repeated.",
        3,
        ("Services", "meanwhile", "mode", "a second", "refused", "lost", "changes a second"),
        tuple(rows),
    )


def _flows(bench: Bench) -> Table:
    rows = [
        (
            size((one.services, one.endpoints)),
            one.under.value,
            one.place,
            f"{one.answers:,}",
            f"{one.longest / 1e6:.1f}",
            str(one.retransmits),
            one.ended or "no",
        )
        for one in bench.of(Flow)
    ]
    return Table(
        "Established flows",
        "One connection through a Service that asks every millisecond, and its longest wait for an answer (ms).",
        3,
        ("Services", "meanwhile", "mode", "answers", "longest ms", "retransmits", "broken"),
        tuple(rows),
    )


def _metrics(bench: Bench) -> Table:
    rows = [
        (size((m.services, m.endpoints)), m.place, m.name, f"{m.count:,.0f}", f"{m.sum / m.count:.4f}")
        for m in bench.of(Metric)
        if m.count
    ]
    return Table(
        "By kube-proxy's own account",
        "What its metrics on the dialling node have counted while the changes above were made.",
        3,
        ("Services", "mode", "metric", "count", "mean s"),
        tuple(rows),
    )


def _overheads(bench: Bench) -> Table:
    rows = []
    for one in {(o.place, o.seat): o for o in bench.of(Overhead)}.values():
        medians = (sorted(them)[len(them) // 2] / 1e3 if them else None for them in (one.tcp, one.udp, one.clock))
        rows.append((one.place, one.seat.value, *(_DASH if m is None else f"{m:.2f}" for m in medians)))
    return Table(
        "The agent's own part",
        "Median microseconds of the same loop against a process of its own on the loopback interface, and of reading "
        "the clock twice: what any figure above holds besides the way to a Service.",
        2,
        ("mode", "from", "TCP", "UDP", "clock"),
        tuple(rows),
    )


def _rungs(keys: dict[tuple[str, int, int], T], bench: Bench) -> list[tuple[str, int, int]]:
    places = [place.name for place in bench.header.places]
    return sorted(keys, key=lambda k: (k[2], k[1], places.index(k[0])))


def _number(value: float | None) -> str:
    return _DASH if value is None else f"{value:,.0f}"


def _seconds(value: float | None) -> str:
    return _DASH if value is None else f"{value:.1f}"
