"""Runs of a small part of the real suites, with cases of every profile, and of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from conformance import __version__
from conformance.certify.catalogue import Catalogue
from conformance.certify.certifying import certify
from conformance.certify.compiling import compiled
from conformance.certify.report import Implementation, Report
from conformance.model.case import Profile
from conformance.model.cell import Cell
from conformance.model.result import Result, result
from conformance.model.verdict import Mismatch, Status
from conformance.plan.cells import cells_of_case, cells_of_matrix
from conformance.results.run import Run
from fixtures.catalogue import Area, areas
from reports.results_file import Journal
from tests.reports.runs import HEADER, a_run

SMALL = tuple(area for area in areas() if area.name in ("health_check", "source", "topology"))
DATE = "2026-11-23T00:00:00+00:00"
ACME = Implementation("Acme", "net", "https://acme.example", "v1.2.3", ("@acme/net",))


def catalogue(of: Iterable[Area] = SMALL) -> Catalogue:
    return compiled(__version__, ((area.name, area.cases, area.matrices) for area in of))


KNOWN = {__version__: catalogue()}


def cells(of: Iterable[Area] = SMALL) -> list[Cell]:
    every = []
    for area in of:
        every += [cell for case in area.cases for cell in cells_of_case(case, area.name)]
        every += [cell for matrix in area.matrices for cell in cells_of_matrix(matrix, area.name)]
    return every


def told(cell: Cell, status: Status, message: str = "") -> Result:
    return result(
        cell, status, message=message, mismatch=Mismatch.ANSWERED if status is Status.FAILED else Mismatch.NONE
    )


def passed(cell: Cell) -> Result:
    return told(cell, Status.PASSED)


def run_of(
    each: Callable[[Cell], Result | None] = passed,
    *,
    of: Iterable[Area] = SMALL,
    profile: Profile = Profile.KUBE_PROXY_NFTABLES,
    missing: int = 0,
) -> Run:
    """The run in which every cell is as ``each`` says; None: the run never came to it."""
    kept = [cell for cell in cells(of) if profile.includes(cell.profile)]
    results = [one for one in map(each, kept) if one]
    return a_run(results, missing=missing, header=replace(HEADER, kit=__version__, profile=profile))


def but(words: dict[str, tuple[Status, str]]) -> Callable[[Cell], Result]:
    """Cells whose IDs begin with these words are so; all others passed."""

    def each(cell: Cell) -> Result:
        for word, (status, message) in words.items():
            if cell.id.startswith(word):
                return told(cell, status, message)
        return passed(cell)

    return each


def written(run: Run, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    journal = Journal(folder, run.header)
    journal.finish(run)
    return journal.path


def report_on(run: Run, sha256: str = "0" * 64, known: Catalogue | None = None) -> Report:
    return certify(run, sha256, known or KNOWN[__version__], ACME, DATE)
