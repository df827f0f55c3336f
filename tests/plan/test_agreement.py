"""Every hand-written ``then`` says what the oracle computes: a wrong row and a wrong oracle cannot both pass unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.model.case import Answered, Case, SeenSource, Submission, on
from conformance.model.cell import Cell
from conformance.model.outcome import Dropped, Expectation, Reaches, Refused, Target
from conformance.oracle import expect_cell
from conformance.plan import imagine
from conformance.plan.agree import disagreement
from conformance.plan.bind import bind
from conformance.plan.cells import cells_of_case
from fixtures.catalogue import areas

CASES = [(a.name, c) for a in areas() for c in a.cases]


def argued(cell: Cell, held: Target | None = None) -> tuple[Expectation, str]:
    """What the oracle says of the cell in the imagined cluster, and how that contradicts the row."""
    scene = imagine.scene(cell)
    bound = bind(cell, scene.state, scene.here)
    assert not isinstance(bound, str), bound
    client, destination = bound
    expectation = expect_cell(cell, scene.state, client, destination, held)
    return expectation, disagreement(cell, expectation, client, scene.state, scene.here)


@pytest.mark.parametrize(("area", "case"), CASES, ids=[c.id for _, c in CASES])
def test_the_case_and_the_oracle_agree(area: str, case: Case) -> None:
    held: dict[tuple[str, str], Target] = {}
    for cell in cells_of_case(case, area):
        if isinstance(cell.what, Submission):
            continue
        flow = (cell.story, cell.what.flow)
        expectation, differ = argued(cell, held.get(flow) if cell.what.flow else None)
        assert differ == "", cell.id
        outcome = expectation.outcome
        if cell.what.flow:
            held.pop(flow, None)
            if isinstance(outcome, Reaches) and len(outcome.targets) == 1:
                held[flow] = next(iter(outcome.targets))


def test_a_wrong_row_is_noticed() -> None:
    area, case = next((a, c) for a, c in CASES if c.id == "CIP-01")
    cell = next(cells_of_case(case, area))
    assert argued(cell)[1] == ""
    wrong = (
        Dropped(),
        Refused(),
        Answered(on("a"), SeenSource.CLIENT),
        Answered(on("a", "b"), SeenSource.NODE),
        Answered(on("a", "b"), SeenSource.CLIENT, sticky=True),
    )
    assert all(argued(replace(cell, then=then))[1] for then in wrong)
