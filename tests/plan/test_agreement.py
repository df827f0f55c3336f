"""Every hand-written ``then`` says what the oracle computes: a wrong row and a wrong oracle cannot both pass unseen."""

from __future__ import annotations

import pytest

from conformance.model.case import Answered, Case, SeenSource, on
from conformance.model.outcome import Dropped, Reaches
from conformance.oracle import expect
from conformance.plan import imagine
from conformance.plan.agree import disagreement
from conformance.plan.bind import bind
from conformance.plan.cells import cells_of_case
from fixtures.catalogue import areas

CASES = [(a.name, c) for a in areas() for c in a.cases]


@pytest.mark.parametrize(("area", "case"), CASES, ids=[c.id for _, c in CASES])
def test_the_case_and_the_oracle_agree(area: str, case: Case) -> None:
    state = imagine.state([case.given])
    for cell in cells_of_case(case, area):
        bound = bind(cell, imagine.service(cell.service, state), state, imagine.LANDSCAPE, imagine.clients())
        assert not isinstance(bound, str), bound
        client, destination = bound
        expectation = expect(state, client, destination)
        assert disagreement(case.then, expectation, client, state) == ""


def test_a_wrong_row_is_noticed() -> None:
    area, case = next((a, c) for a, c in CASES if c.id == "CIP-01")
    state = imagine.state([case.given])
    cell = next(cells_of_case(case, area))
    bound = bind(cell, imagine.service(cell.service, state), state, imagine.LANDSCAPE, imagine.clients())
    assert not isinstance(bound, str)
    client, destination = bound
    expectation = expect(state, client, destination)
    assert isinstance(expectation.outcome, Reaches)
    assert disagreement(Dropped(), expectation, client, state)
    assert disagreement(Answered(on("a"), SeenSource.CLIENT), expectation, client, state)
    assert disagreement(Answered(on("a", "b"), SeenSource.NODE), expectation, client, state)
    assert disagreement(Answered(on("a", "b"), SeenSource.CLIENT, sticky=True), expectation, client, state)
