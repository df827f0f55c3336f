"""``nftconform selftest``: whether every case fails when it should, and none when it should not."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from conformance.cli.faults import FAULT
from conformance.kit import put_on_path
from conformance.model.cell import Cell
from conformance.plan import imagine
from conformance.plan.cells import plan
from conformance.plan.claims import Claims, claims, near, sample, some
from conformance.spec.faults import Fault

if TYPE_CHECKING:
    from conformance.judge.kills import Kill
    from conformance.selftest.campaign import Campaign

_NEAR = 8
"""Cells that are asked of a mutant before everything is."""
_GOAL = 0.95
_LABS = len(os.sched_getaffinity(0)) + 1


@click.command()
@click.option("--fault", "named", type=FAULT, multiple=True, help="Only this fault; may be repeated.")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), default=1.0, help="Only so many of the faults.")
@click.option(
    "--seed",
    type=int,
    envvar="NFTCONFORM_SEED",
    help="Which faults and which matrix cells.  [default: drawn, and printed]",
)
@click.option(
    "--labs",
    type=click.IntRange(1),
    default=_LABS,
    show_default="one more than cores: much of a trial is waiting",
    help="Labs side by side.",
)
@click.option("--matrix", "count", type=click.IntRange(0), default=3, show_default=True, help="Cells of each matrix.")
@click.option(
    "--mutate", type=click.IntRange(1), metavar="N", help="Hunt N random mutants instead of the named faults."
)
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="Keep the kill matrix in this file.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("reports/out/selftest"), show_default=True,
    help="For the report and the log of every run.",
)  # fmt: skip
def selftest(
    named: tuple[Fault, ...],
    share: float,
    seed: int | None,
    labs: int,
    count: int,
    mutate: int | None,
    record: Path | None,
    output: Path,
) -> int:
    """Put every fault into a lab of its own and see that each case which claims to catch it does, for its reason.

    Exit codes: 0 proven, 1 a fault survives, a claim does not hold, a run without faults fails or too few mutants are
    killed, 3 environment.
    """
    put_on_path()
    # Importable only after put_on_path.
    from conformance.selftest.campaign import Campaign  # noqa: PLC0415
    from reports import kills as report  # noqa: PLC0415
    from reports.files import check_writable, write_whole  # noqa: PLC0415

    check_writable(output)
    console = Console(highlight=False)
    seed = random.randrange(10_000) if seed is None else seed
    if mutate is not None:
        return _hunt(console, mutate, seed, labs, output, record)
    claimed, matrices = _catalogue()
    faults = some(named or tuple(Fault), share, seed)
    campaign = Campaign({f: claimed.catchers[f] for f in faults}, sample(matrices, count, seed), output, labs)
    console.print(f"selftest: {len(faults)} of {len(Fault)} faults, seed {seed}, {labs} labs side by side")
    fine = _unfaulted(console, campaign, whole=len(faults) == len(Fault))
    for fault, case in claimed.elsewhere:
        if fault in faults:
            console.print(f"{case} claims {fault.word}, and does not apply in a lab")
    for case in claimed.idle:
        console.print(Text(f"{case} claims to catch nothing", "red"))
    found: list[Kill] = []
    try:
        for kill in campaign.kills():
            console.print(report.line(kill), soft_wrap=True)
            found.append(kill)
    finally:  # after Ctrl-C too: what is proven is proven
        console.print(Text(report.summary(found), "bold"), soft_wrap=True)
        if record is not None:
            write_whole(record, report.kept(found, _today(), seed).encode())
    return 0 if fine and not claimed.idle and all(kill.proven for kill in found) else 1


def _catalogue() -> tuple[Claims, dict[str, list[str]]]:
    """Who claims what, and the cells of every matrix in the lab."""
    from fixtures.catalogue import areas  # noqa: PLC0415  importable only after put_on_path

    cells = [c for a in areas() for c in plan(a.cases, a.matrices, a.name, imagine.LANDSCAPE) if isinstance(c, Cell)]
    matrices: dict[str, list[str]] = {matrix.id: [] for area in areas() for matrix in area.matrices}
    for cell in cells:
        if cell.case in matrices:
            matrices[cell.case].append(cell.id)
    every = (case for area in areas() for case in area.cases)
    return claims(every, {cell.case for cell in cells}), matrices


def _hunt(console: Console, count: int, seed: int, labs: int, output: Path, kept: Path | None) -> int:
    from conformance.judge.mutants import Mutant  # noqa: PLC0415
    from conformance.selftest.mutants import Hunt, record  # noqa: PLC0415  a lab needs Linux
    from fixtures.catalogue import areas  # noqa: PLC0415  importable only after put_on_path
    from reports import mutants as report  # noqa: PLC0415
    from reports.files import write_whole  # noqa: PLC0415

    every = [one for a in areas() for one in plan(a.cases, a.matrices, a.name, imagine.LANDSCAPE)]
    cells = [one for one in every if isinstance(one, Cell)]
    console.print(f"selftest: {count} mutants, seed {seed}, {labs} labs side by side; recording a whole run first")
    hunt = Hunt(record(output / "recorded"), partial(near, cells, count=_NEAR), output, labs)
    found: list[Mutant] = []
    try:
        for mutant in hunt.mutants(count, seed):
            console.print(report.line(mutant), soft_wrap=True)
            found.append(mutant)
    finally:
        hunted = report.hunted(found, _today(), seed)
        console.print(Text(report.summary(hunted), "bold"), soft_wrap=True)
        if kept is not None:
            write_whole(kept, report.kept(hunted).encode())
    return 0 if hunted.killed >= _GOAL * hunted.counted else 1


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _unfaulted(console: Console, campaign: Campaign, *, whole: bool) -> bool:
    from conformance.selftest.campaign import broken  # noqa: PLC0415  a lab needs Linux

    trial = campaign.unfaulted(whole=whole)
    wrong = broken(trial)
    if trial.trouble or wrong:
        console.print(Text(f"without any fault: {trial.trouble or ', '.join(wrong)} fails", "red"))
        return False
    console.print(f"without any fault: {len(trial.told)} cells, none fails, {trial.seconds:.0f} s")
    return True
