"""Every hand-written ``then`` says what the oracle computes: a wrong row and a wrong oracle cannot both pass unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.model.case import Answered, Case, SeenSource, on
from conformance.model.cell import Cell
from conformance.model.outcome import Dropped, Refused
from conformance.plan.agree import disagreement
from conformance.plan.cells import cells_of_case, cells_of_matrix
from conformance.plan.rehearse import Rehearsed, rehearse
from fixtures.catalogue import areas

CASES = [(a.name, c) for a in areas() for c in a.cases]


def differing(one: Rehearsed, cell: Cell) -> str:
    """How what the oracle says contradicts the row of ``cell``."""
    return disagreement(cell, one.expectation, one.client, one.scene.state, one.scene.here)


@pytest.mark.parametrize(("area", "case"), CASES, ids=[c.id for _, c in CASES])
def test_the_case_and_the_oracle_agree(area: str, case: Case) -> None:
    found = [(one.cell.id, differing(one, one.cell)) for one in rehearse(cells_of_case(case, area))]
    assert [(identity, differ) for identity, differ in found if differ] == []


def test_every_cell_of_the_matrices_has_an_expectation() -> None:
    cells = [cell for area in areas() for matrix in area.matrices for cell in cells_of_matrix(matrix, area.name)]
    assert [one.cell.id for one in rehearse(cells) if one.expectation.reasons] == [cell.id for cell in cells]


def test_a_wrong_row_is_noticed() -> None:
    area, case = next((a, c) for a, c in CASES if c.id == "CIP-01")
    cell = next(cells_of_case(case, area))
    (one,) = rehearse([cell])
    assert differing(one, cell) == ""
    wrong = (
        Dropped(),
        Refused(),
        Answered(on("a"), SeenSource.CLIENT),
        Answered(on("a", "b"), SeenSource.NODE),
        Answered(on("a", "b"), SeenSource.CLIENT, sticky=True),
    )
    assert all(differing(one, replace(cell, then=then)) for then in wrong)
