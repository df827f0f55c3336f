"""A bench as text: for a terminal of 80 columns, and in Markdown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import StringIO

from rich.console import Console
from rich.table import Table as Shown
from rich.text import Text

from conformance.measured.bench import Bench
from conformance.measured.lines import Machine, Note
from conformance.model.printable import printable
from reports.bench_tables import P50, P99, Numbers, Table, changed, micro, ranged, said, size, tables
from reports.markdown import plain, row


def markdown(numbers: Numbers) -> str:
    """What was measured, on what, and every table."""
    lines = [*(f"**{plain(trouble)}**\n" for trouble in numbers.bench.troubles), *map(_item, about(numbers.bench))]
    for table in tables(numbers):
        aligned = ["---"] * table.labels + ["---:"] * (len(table.columns) - table.labels)
        lines += [f"\n### {table.title}\n", f"{table.note}\n", row(*table.columns), row(*aligned)]
        lines += [row(*map(plain, cells)) for cells in table.rows]
    return "\n".join(lines) + "\n"


def about(bench: Bench) -> Iterator[tuple[str, str]]:
    """Name and value of what a reader must know before any number."""
    head = bench.header
    for place in head.places:
        kind = "the kit's reference proxy, not kube-proxy" if place.reference else place.proxy
        yield place.name, f"{place.mode} mode by {kind}, {len(place.nodes)} nodes, {head.family.value}"
    yield "measured", f"{head.started} by nftconform {head.kit}, seed {head.seed}"
    yield "options", " ".join(f"{name} {value}" for name, value in head.options.items())
    seen: dict[str, list[str]] = {}
    for one in bench.of(Machine):
        for name, value in one.told.items():
            seen.setdefault(name, []).append(value)
    for name, values in seen.items():
        yield name, " then ".join(dict.fromkeys((values[0], values[-1])))
    if seen and "governor" not in seen:
        yield "governor", "none is told: the clock may change as it likes"
    yield from (("note", note.text) for note in bench.of(Note))


def terminal(numbers: Numbers) -> bytes:
    """The tables that matter most, as on the terminal that this process has; else plain text in 80 columns."""
    console = Console(file=StringIO(), highlight=False, force_terminal=sys.stdout.isatty())
    if not console.is_terminal:
        console.width = 80
    for trouble in numbers.bench.troubles:
        console.print(Text(printable(trouble)), style="bold red")
    for name, value in about(numbers.bench):
        console.print(Text(f"{name:12} {printable(value)}"), style="dim")
    if numbers.latencies:
        _show(console, _latencies(numbers))
    if numbers.changes:
        _show(console, changed(numbers.changes, intervals=False))
    chosen = ("What a proxy weighs", "New connections under load", "Established flows")
    for table in tables(numbers):
        if table.title in chosen:
            _show(console, table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().encode()


def _latencies(numbers: Numbers) -> Table:
    """One row a series and rung, with the places beside each other."""
    places = [place.name for place in numbers.bench.header.places]
    known = {(f.rung, f.series, f.place): f for f in numbers.latencies}
    ratios = {(v.rung, v.series): v for v in numbers.versus if (v.of, v.to) == tuple(places[:2])}
    rows = []
    for rung, series in dict.fromkeys((f.rung, f.series) for f in numbers.latencies):
        cells = [f"{size(rung)} {series.text}"]
        for place in places:
            one = known.get((rung, series, place))
            p50, p99 = (micro(one.sample.quantile(level)).value if one else 0.0 for level in (P50, P99))
            cells.append(f"{p50:.1f} ({p99:.0f})" if one else "-")
        if len(places) > 1:
            ratio = ratios.get((rung, series))
            cells.append(f"{ranged(ratio.ratio.quantile(P50))} {said(ratio, P50)}" if ratio else "-")
        else:
            one = known.get((rung, series, places[0]))
            floor = one.to_floor if one else None
            cells.append(ranged(floor.quantile(P50)) if floor else "-")
        rows.append(tuple(cells))
    last = f"{places[0]} / {places[1]}" if len(places) > 1 else "over the floor"
    return Table("First packets", "p50 (p99) in microseconds.", 1, ("Services, dial", *places, last), tuple(rows))


def _show(console: Console, table: Table) -> None:
    shown = Shown(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for number, column in enumerate(table.columns):
        shown.add_column(column, justify="left" if number < table.labels else "right", overflow="fold")
    for cells in table.rows:
        shown.add_row(*(Text(printable(cell)) for cell in cells))
    console.print()
    console.print(Text(table.title), style="bold")
    console.print(Text(table.note.replace("`", "'")), style="dim")
    console.print(shown)


def _item(pair: tuple[str, str]) -> str:
    name, value = pair
    return f"- **{plain(name)}** {plain(value)}"
