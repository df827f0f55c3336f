"""``nftconform plan``: what would be asked of a cluster, and what not, and why; nothing but reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.arrange.terms import Terms
from conformance.cli.options import Given, cluster_options
from conformance.cli.terms import terms_options
from conformance.kit import put_on_path
from conformance.model.cell import Cell, Excluded


@click.command()
@cluster_options
@terms_options("max_nodes", "node_selector", "toleration", "disruptive")
@click.option("--cells", "each", is_flag=True, help="List every cell instead of every case.")
def plan(
    kubeconfig: Path | None,
    context: str | None,
    cases: tuple[str, ...],
    profile: str,
    externals: tuple[str, ...],
    told: tuple[str, ...],
    each: bool,
    terms: Terms,
) -> None:
    """Show what `run` would ask with the same options. The cluster is only read."""
    put_on_path()
    from fixtures.catalogue import areas  # noqa: PLC0415  importable only after put_on_path
    from fixtures.planning import planned  # noqa: PLC0415
    from fixtures.settings import settle  # noqa: PLC0415
    from reports.facts import described  # noqa: PLC0415

    settings = settle(Given(kubeconfig, context, cases, profile, externals, told, terms=terms).choice())
    console = Console(highlight=False)
    there = settings.landscape
    for name, value in described(settings.facts, there.nodes, there.families, settings.profile).items():
        console.print(Text(f"{name}: {value}", style="dim"), soft_wrap=True)
    every = [p for area in areas() for p in planned(settings, area.name, area.cases, area.matrices)]
    console.print(_cells(every) if each else _cases(every))
    _sums(console, every)


def _cases(every: list[Cell | Excluded]) -> Table:
    asked = Counter(p.case for p in every if isinstance(p, Cell))
    excluded = Counter(p.cell.case for p in every if isinstance(p, Excluded))
    cells = [p.cell if isinstance(p, Excluded) else p for p in every]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("case", "level", "area", "promise"):
        table.add_column(column)
    table.add_column("cells", justify="right")
    table.add_column("not applicable", justify="right")
    for cell in {c.case: c for c in cells}.values():
        counts = (str(asked[cell.case]), str(excluded[cell.case] or ""))
        table.add_row(cell.case, cell.level.value, cell.area, cell.promise, *counts)
    return table


def _cells(every: list[Cell | Excluded]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("cell", "dials", "not applicable because"):
        table.add_column(column, overflow="fold")
    for one in every:
        if isinstance(one, Excluded):
            table.add_row(one.cell.id, "", one.why)
        else:
            table.add_row(one.id, str(one.dials), "")
    return table


def _sums(console: Console, every: list[Cell | Excluded]) -> None:
    asked = [p for p in every if isinstance(p, Cell)]
    console.print(Text(f"\n{len(asked)} cells to ask with {sum(c.dials for c in asked)} dials", style="bold"))
    for why, count in Counter(p.why for p in every if isinstance(p, Excluded)).most_common():
        console.print(Text(f"{count} cells do not apply: {why}"), soft_wrap=True)
