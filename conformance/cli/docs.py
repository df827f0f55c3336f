"""``nftconform docs``: the pages that the code itself can write, and whether those are current."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path

import click

from conformance import __version__
from conformance.certify.compiling import compiled
from conformance.cli.plotting import check_installed
from conformance.errors import UsageError
from conformance.facts.catalogue import QUESTIONS
from conformance.kit import kit_root, put_on_path
from conformance.model.case import Case, Matrix
from conformance.model.cell import Cell
from conformance.plan import imagine
from conformance.plan.cells import plan
from conformance.plan.claims import claims
from conformance.spec.coverage import covered, table
from conformance.spec.interplay import known

PERFORMANCE = "performance.md"
KILLS, MUTANTS = "kills.json", "mutants.json"
"""In the same folder: what the last whole ``nftconform selftest --record`` found, and the last with ``--mutate``."""


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a page is stale.")
@click.option("--output", type=click.Path(path_type=Path), help="Another folder than the checkout's docs.")
@click.option(
    "--bench",
    "measured",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write instead the tables and plots of docs/performance.md from this bench.jsonl.",
)
def docs(check: bool, output: Path | None, measured: Path | None) -> int:
    """Write docs/catalogue.md, coverage.md, faults.md, facts.md and preflight.md from what the code says.

    And reports/catalogues/VERSION.json: what this version asks, as conformance reports are verified against.
    """
    put_on_path()
    from reports.files import write_whole  # noqa: PLC0415  importable only after put_on_path

    folder = output or kit_root() / "docs"
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", "Run it in a checkout, or name one with --output.")
    if measured:
        _performance(measured, folder)
        return 0
    beside = output or kit_root() / "reports" / "catalogues"
    written = {folder / name: text for name, text in _pages(folder).items()}
    written |= {beside / name: text for name, text in _asked().items()}
    if check:
        stale = [path.name for path, text in written.items() if _held(path) != text]
        if stale:
            click.echo(f"{' and '.join(stale)} in {folder}: stale, run `nftconform docs`.", err=True)
        return 1 if stale else 0
    for path, text in written.items():
        write_whole(path, text.encode())
    return 0


def _performance(measured: Path, folder: Path) -> None:
    check_installed()
    from reports.bench import measured_page, write_pictures  # noqa: PLC0415  it needs what was just looked for
    from reports.bench_file import load  # noqa: PLC0415
    from reports.bench_tables import Numbers  # noqa: PLC0415
    from reports.files import write_whole  # noqa: PLC0415

    page = folder / PERFORMANCE
    numbers = Numbers.of(load(measured))
    pictures = write_pictures(numbers, folder, ("svg",))
    write_whole(page, measured_page(_held(page), numbers, [path.name for path in pictures]).encode())


def _pages(folder: Path) -> dict[str, str]:
    from fixtures.catalogue import areas  # noqa: PLC0415  importable only after put_on_path
    from reports import catalogue, faults, kills, mutants, preflight  # noqa: PLC0415
    from reports import facts as report  # noqa: PLC0415

    chapters = []
    for area in areas():
        planned = plan(area.cases, area.matrices, area.name, imagine.LANDSCAPE)
        cells = Counter(one.case for one in planned if isinstance(one, Cell))
        chapters.append(catalogue.Chapter(area.name, area.cases, area.matrices, cells))
    every = chain.from_iterable(chain[Case | Matrix](c.cases, c.matrices) for c in chapters)
    killed, hunted = _held(folder / KILLS), _held(folder / MUTANTS)
    lab = {identity for chapter in chapters for identity in chapter.cells}
    claimed = claims((case for chapter in chapters for case in chapter.cases), lab)
    lines = [report.Line(q.fact, q.asks, q.learned, tuple(map(str, q.reads))) for q in QUESTIONS]
    return {
        "facts.md": report.page(lines),
        "preflight.md": preflight.page(known()),
        "catalogue.md": catalogue.catalogue(chapters),
        "coverage.md": catalogue.coverage(table(), covered(every), lab),
        "faults.md": faults.page(
            claimed.catchers, kills.read(killed) if killed else None, mutants.read(hunted) if hunted else None
        ),
    }


def _asked() -> dict[str, str]:
    from fixtures.catalogue import areas  # noqa: PLC0415  importable only after put_on_path
    from reports import catalogues  # noqa: PLC0415

    asked = compiled(__version__, ((area.name, area.cases, area.matrices) for area in areas()))
    return {f"{asked.kit}.json": catalogues.document(asked)}


def _held(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
