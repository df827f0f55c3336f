"""A bench as plots, by matplotlib: latency by number of Services, its distribution, and when nodes act on changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import chain
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from conformance.measured.figures import Figure, Rung, Series
from conformance.measured.lines import Change, Seat, Way
from conformance.model.addresses import Protocol
from conformance.model.printable import printable
from reports.bench_tables import P50, P90, P99, Numbers, size

PROTOCOLS = (Protocol.TCP, Protocol.UDP)
# Okabe and Ito: told apart by those who see no red, and by their marks in print.
_COLOURS, _MARKS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7"), ("o", "s", "^", "D")
_FLOOR = "#767676"
_SHARES = np.linspace(0, 1, 201)
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "nftconform",  # the same bench makes the same file
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may hold a $
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
}


def plots(numbers: Numbers) -> dict[str, Canvas]:
    """What is to be drawn, by file names without an ending."""
    with mpl.rc_context(_STYLE):
        return dict(_plots(numbers))


def _plots(numbers: Numbers) -> Iterator[tuple[str, Canvas]]:
    rungs = list(dict.fromkeys(f.rung for f in numbers.latencies))
    for endpoints in dict.fromkeys(rung[1] for rung in rungs):
        word = "" if len({r[1] for r in rungs}) == 1 else f"-{endpoints}-endpoints"
        mine = [r for r in rungs if r[1] == endpoints]
        yield f"latency{word}", _latency(numbers, mine)
        yield f"cdf{word}", _cdf(numbers, mine[-1])
    if any(one.sample for one in numbers.changes):
        yield "programming", _programming(numbers)


def drawn(canvas: Canvas, kind: str) -> bytes:
    """As ``svg`` or ``png``; without a date, so that it is the same tomorrow."""
    into = BytesIO()
    with mpl.rc_context(_STYLE):
        canvas.savefig(into, format=kind, dpi=110, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return into.getvalue()


def _latency(numbers: Numbers, rungs: Sequence[Rung]) -> Canvas:
    """p50 and p99 by number of Services, with their intervals; one panel for each seat and protocol."""
    canvas, panels = _panels(f"First packet, p50 (whole) and p99 (dashed), {_ends(rungs[-1])}")
    for axes, (seat, protocol) in zip(panels, _kinds(), strict=True):
        for number, (way, place, mine) in enumerate(_lines(numbers, seat, protocol, rungs)):
            colour = _FLOOR if way is Way.DIRECT else _COLOURS[number % len(_COLOURS)]
            at = [one.rung[0] for one in mine]
            for level, dashes in ((P50, "-"), (P99, "--")):
                every = [one.sample.quantile(level) for one in mine]
                low = [(i.value - i.low) / 1e3 for i in every]
                high = [(i.high - i.value) / 1e3 for i in every]
                axes.errorbar(
                    at,
                    [i.value / 1e3 for i in every],
                    yerr=[low, high],
                    color=colour,
                    linestyle=dashes,
                    marker=_MARKS[number % len(_MARKS)],
                    markersize=4,
                    capsize=2,
                    linewidth=1,
                    label=f"{printable(place)} {way.value}" if level == P50 else None,
                )
        axes.set(yscale="log", title=f"from a {seat.value}, {protocol.value}", ylabel="microseconds")
        _by_services(axes, [rung[0] for rung in rungs])
    _legend(canvas, panels)
    return canvas


def _cdf(numbers: Numbers, rung: Rung) -> Canvas:
    """All dials of the largest rung, sorted."""
    canvas, panels = _panels(f"First packet with {size(rung)} Services: share of dials that took at most so long")
    for axes, (seat, protocol) in zip(panels, _kinds(), strict=True):
        for number, (way, place, mine) in enumerate(_lines(numbers, seat, protocol, [rung])):
            times = np.quantile(list(chain.from_iterable(mine[0].rounds)), _SHARES) / 1e3
            colour = _FLOOR if way is Way.DIRECT else _COLOURS[number % len(_COLOURS)]
            axes.plot(times, _SHARES, color=colour, linewidth=1, label=f"{printable(place)} {way.value}")
        axes.set(xscale="log", title=f"from a {seat.value}, {protocol.value}", xlabel="microseconds", ylim=(0, 1))
    _legend(canvas, panels)
    return canvas


def _programming(numbers: Numbers) -> Canvas:
    """Median and p90 of every kind of change by number of Services."""
    kinds = [change for change in Change if any(one.change is change for one in numbers.changes)]
    canvas = Canvas(figsize=(9, 3.2), layout="constrained")
    canvas.suptitle("From a change in the API until nodes act on it, p50 (whole) and p90 (dashed)")
    panels = list(canvas.subplots(1, len(kinds), sharey=True, squeeze=False).flat)
    for axes, change in zip(panels, kinds, strict=True):
        for number, place in enumerate(p.name for p in numbers.bench.header.places):
            mine = [c for c in numbers.changes if c.change is change and c.place == place and c.sample]
            for level, dashes in ((P50, "-"), (P90, "--")):
                every = [one.sample.quantile(level) for one in mine if one.sample]
                axes.errorbar(
                    [one.rung[0] for one in mine],
                    [i.value for i in every],
                    yerr=[[i.value - i.low for i in every], [i.high - i.value for i in every]],
                    color=_COLOURS[number % len(_COLOURS)],
                    marker=_MARKS[number % len(_MARKS)],
                    linestyle=dashes,
                    markersize=4,
                    capsize=2,
                    linewidth=1,
                    label=printable(place) if level == P50 else None,
                )
        axes.set(title=change.value)
        _by_services(axes, sorted({one.rung[0] for one in numbers.changes}))
    panels[0].set(ylabel="seconds")
    _legend(canvas, panels)
    return canvas


def _panels(title: str) -> tuple[Canvas, list[Axes]]:
    canvas = Canvas(figsize=(9, 6.4), layout="constrained")
    canvas.suptitle(title)
    return canvas, list(canvas.subplots(2, 2).flat)


def _by_services(axes: Axes, rungs: Sequence[int]) -> None:
    axes.set(xscale="log", xlabel="Services")
    axes.set_xticks(rungs, [f"{rung:,}" for rung in rungs])
    axes.minorticks_off()


def _kinds() -> list[tuple[Seat, Protocol]]:
    return [(seat, protocol) for seat in Seat for protocol in PROTOCOLS]


def _lines(
    numbers: Numbers, seat: Seat, protocol: Protocol, rungs: Sequence[Rung]
) -> Iterator[tuple[Way, str, list[Figure]]]:
    """Services' figures of each place, then the floors; the loopback would only squeeze them."""
    for way in (Way.CLUSTER_IP, Way.NODE_PORT, Way.DIRECT):
        for place in numbers.bench.header.places:
            wanted = Series(seat, way, protocol)
            mine = [f for f in numbers.latencies if f.series == wanted and f.place == place.name and f.rung in rungs]
            if mine:
                yield way, place.name, mine


def _legend(canvas: Canvas, panels: Sequence[Axes]) -> None:
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        canvas.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)


def _ends(rung: Rung) -> str:
    return f"{rung[1]} endpoint{'s' if rung[1] > 1 else ''} each"
