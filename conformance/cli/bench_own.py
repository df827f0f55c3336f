"""``nftconform bench --self`` and ``--scale``: what the kit itself costs."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance import __version__
from conformance.model.addresses import Protocol

if TYPE_CHECKING:
    from conformance.bench.own.growth import Cost
    from fixtures.settings import Choice

JSON = dict[str, Any]
SIZES = ((10, 100), (100, 1000), (1000, 10000))
"""Nodes and Services."""
FLOOR = "bare loop"
SELF, SCALE = "bench-self.json", "bench-scale.json"


def measure_self(choice: Choice, image: str | None, output: Path, *, rounds: int, seed: int, grow: bool) -> int:
    """Dial one Service in three ways by turns; then, with ``grow``, make whole runs of several sizes."""
    from conformance.arrange.run import Run, image_of, new_id  # noqa: PLC0415  importable only after put_on_path
    from conformance.bench.own.growth import runs  # noqa: PLC0415
    from conformance.bench.own.ways import agent_memory, arranged, measured  # noqa: PLC0415
    from conformance.cluster.connection import connect  # noqa: PLC0415
    from fixtures.settings import settle  # noqa: PLC0415
    from reports.files import check_writable, write_whole  # noqa: PLC0415

    check_writable(output)
    settings, console = settle(choice), Console(highlight=False)
    cluster = connect(Path(choice.kubeconfig) if choice.kubeconfig else None, choice.context)
    found: dict[str, Mapping[str, Sequence[float]]] = {}
    try:
        run = Run(new_id(), image_of(image), tolerations=tuple(choice.terms.tolerations))
        with arranged(cluster, run, list(settings.nodes)) as place:
            for protocol in (Protocol.TCP, Protocol.UDP):
                click.echo(f"dialling over {protocol.value}: {rounds} rounds of each way", err=True)
                found[protocol.value] = measured(place, protocol, rounds, seed)
            memory = agent_memory(place)
    finally:
        cluster.close()
    for protocol_name, rates in found.items():
        console.print(_rates(protocol_name, rates))
    console.print(f"memory of the dialling agent, at most: {memory:.1f} MiB", soft_wrap=True)
    costs: list[Cost] = []

    def keep() -> None:
        plain = _about() | {"rates": found, "agent_mib": memory, "runs": [_plain(cost) for cost in costs]}
        write_whole(output / SELF, json.dumps(plain, indent=1).encode())

    keep()  # runs take long, and an interrupt is to cost only the one that it meets
    if grow:
        options = [
            word for name in ("kubeconfig", "context") if (v := getattr(choice, name)) for word in (f"--{name}", v)
        ]
        options += [word for one in choice.externals for word in ("--external", one)]
        for cost in runs(options):
            click.echo(f"a run of {cost.cells} cells took {cost.wall:.1f} s", err=True)
            costs.append(cost)
            keep()
        console.print(_costs(costs))
        console.print(_phases(costs[-2]))
    console.print(Text(f"written: {output / SELF}"), soft_wrap=True)
    return 0


def measure_scale(sizes: Sequence[tuple[int, int]], output: Path) -> int:
    """Facts, plan, oracle and judge, audit and reports on generated clusters: processor time and memory by size."""
    from conformance.bench.own.generated import Size  # noqa: PLC0415  importable only after put_on_path
    from conformance.bench.own.parts import works  # noqa: PLC0415
    from conformance.bench.own.weighing import weighed  # noqa: PLC0415
    from conformance.cli.preflight_objects import Saved  # noqa: PLC0415
    from reports.files import check_writable, write_whole  # noqa: PLC0415

    check_writable(output)
    rows = []
    for size in (Size(*one) for one in sizes):
        for name, work in works(size, Saved).items():
            weight = weighed(work)
            rows.append({"part": name, **asdict(size), **asdict(weight)})
            click.echo(f"{size.nodes} nodes, {size.services} Services: {name} {weight.seconds:.2f} s", err=True)
        write_whole(output / SCALE, json.dumps(_about() | {"rows": rows}, indent=1).encode())
    console = Console(highlight=False)
    console.print(_by_size(rows))
    console.print(Text(f"written: {output / SCALE}"), soft_wrap=True)
    return 0


def _about() -> JSON:
    return {"kit": __version__, "python": platform.python_version(), "kernel": platform.release()}


def _rates(protocol: str, rates: Mapping[str, Sequence[float]]) -> Table:
    from conformance.bench.own.ratios import ratio, typical  # noqa: PLC0415

    table = Table(title=f"{protocol} dials a second, median of rounds (95 %)", box=None, header_style="bold")
    for column in ("way", "dials/s", f"/ {FLOOR}", "kit / it"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for name, values in rates.items():
        faster = "" if name == "kit" else ratio(rates["kit"], values).words(2)
        table.add_row(name, typical(values).words(), ratio(values, rates[FLOOR]).words(4), faster)
    return table


def _costs(costs: Sequence[Cost]) -> Table:
    table = Table(title="whole runs", box=None, header_style="bold")
    columns = (
        "cases",
        "nodes",
        "workers",
        "cells",
        "wall s",
        "cells/s",
        "dials/s",
        "requests",
        "execs",
        "CPU s",
        "MiB",
    )
    for column in columns:
        table.add_column(column, justify="left" if column == "cases" else "right")
    for one in costs:
        effort = one.effort
        numbers = (
            one.trial.nodes or "",
            one.trial.workers,
            one.cells,
            f"{one.wall:.1f}",
            f"{one.cells / one.wall:.0f}",
        )
        work = (
            f"{effort.dials / one.wall:.0f}",
            effort.requests,
            effort.streams,
            f"{effort.cpu:.1f}",
            f"{effort.peak:.0f}",
        )
        table.add_row(" ".join(one.trial.cases) or "all", *map(str, (*numbers, *work)))
    return table


def _phases(cost: Cost) -> Table:
    table = Table(title="where the time of a whole run goes", box=None, header_style="bold")
    table.add_column("phase")
    for column in ("s", "share", "processor s", "share"):
        table.add_column(column, justify="right")
    effort = cost.effort
    rows = [(phase.value, seconds, effort.busy.get(phase, 0.0)) for phase, seconds in effort.phases.items()]
    rest = cost.wall - sum(effort.phases.values()), effort.cpu - sum(effort.busy.values())
    for name, seconds, busy in (*rows, ("the rest: Python's start, pytest, reports; other threads", *rest)):
        table.add_row(name, f"{seconds:.2f}", f"{seconds / cost.wall:.0%}", f"{busy:.2f}", f"{busy / cost.wall:.0%}")
    return table


def _plain(cost: Cost) -> JSON:
    plain = asdict(cost)
    for part in ("phases", "busy"):
        plain["effort"][part] = {phase.value: seconds for phase, seconds in plain["effort"][part].items()}
    return plain


def _by_size(rows: Sequence[JSON]) -> Table:
    sizes = list(dict.fromkeys((row["nodes"], row["services"]) for row in rows))
    table = Table(title="processor time and memory by size", box=None, header_style="bold")
    table.add_column("part")
    for nodes, services in sizes:
        table.add_column(f"{nodes:,} nodes, {services:,} Services", justify="right")
    for part in dict.fromkeys(row["part"] for row in rows):
        found = {(row["nodes"], row["services"]): row for row in rows if row["part"] == part}
        table.add_row(part, *(f"{found[s]['seconds']:.2f} s, {found[s]['mib']:.1f} MiB" for s in sizes))
    return table
