"""The catalogue of the suites as they are."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.certify.catalogue import Catalogue, Entry, claim_of, fingerprint
from conformance.model.case import Case, Matrix
from conformance.plan.cells import cells_of_case, cells_of_matrix


def compiled(kit: str, areas: Iterable[tuple[str, Iterable[Case], Iterable[Matrix]]]) -> Catalogue:
    """The catalogue of version ``kit``, which has these ``areas``: of each its name, cases and matrices."""
    cases = {}
    for area, rows, matrices in areas:
        for row in rows:
            cases[row.id] = _entry(row, area, (cell.id for cell in cells_of_case(row, area)))
        for matrix in matrices:
            cases[matrix.id] = _entry(matrix, area, (cell.id for cell in cells_of_matrix(matrix, area)))
    return Catalogue(kit, dict(sorted(cases.items())))


def _entry(case: Case | Matrix, area: str, cells: Iterable[str]) -> Entry:
    ids = list(cells)
    return Entry(case.level, len(ids), fingerprint(ids), claim_of(case.level, area, case.profile))
