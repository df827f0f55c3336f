"""Every hand-written ``then`` says what the oracle computes: a wrong row and a wrong oracle cannot both pass unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.model.case import Answered, Case, SeenSource, Submission, on
from conformance.model.cell import Cell
from conformance.model.outcome import Dropped, Expectation, Pins, Reaches, Refused, Target
from conformance.oracle import Memory, expect_cell, forget, remember
from conformance.plan import imagine
from conformance.plan.agree import disagreement
from conformance.plan.bind import bind
from conformance.plan.cells import cells_of_case
from fixtures.catalogue import areas

CASES = [(a.name, c) for a in areas() for c in a.cases]


def argued(cell: Cell, held: Target | None = None, memory: Memory | None = None) -> tuple[Expectation, str]:
    """What the oracle says of the cell in the imagined cluster, and how that contradicts the row."""
    scene = imagine.scene(cell)
    bound = bind(cell, scene.state, scene.here)
    assert not isinstance(bound, str), bound
    client, destination = bound
    expectation = expect_cell(cell, scene.state, client, destination, held, memory)
    return expectation, disagreement(cell, expectation, client, scene.state, scene.here)


@pytest.mark.parametrize(("area", "case"), CASES, ids=[c.id for _, c in CASES])
def test_the_case_and_the_oracle_agree(area: str, case: Case) -> None:
    held: dict[tuple[str, str], Target] = {}
    pins: dict[tuple[str, str], Memory] = {}
    for cell in cells_of_case(case, area):
        if isinstance(cell.what, Submission):
            continue
        flow = (cell.story, cell.what.flow)
        pin, state = (cell.story, cell.what.pin), imagine.scene(cell).state
        before = forget(state, pins.get(pin, Memory()))
        expectation, differ = argued(cell, held.get(flow) if cell.what.flow else None, before)
        assert differ == "", cell.id
        outcome = expectation.outcome
        if cell.what.flow:
            held.pop(flow, None)
            if isinstance(outcome, Reaches) and len(outcome.targets) == 1:
                held[flow] = next(iter(outcome.targets))
        if cell.what.pin and isinstance(outcome, Pins):
            pins[pin] = pinned(cell, outcome, before)


def pinned(cell: Cell, outcome: Pins, before: Memory) -> Memory:
    """What is remembered when every port that is free to choose takes the next endpoint."""
    scene = imagine.scene(cell)
    bound = bind(cell, scene.state, scene.here)
    assert not isinstance(bound, str), bound
    free = sorted(outcome.targets, key=lambda t: t.pod)
    kept = {number: min(them, key=lambda t: t.pod) for number, them in outcome.kept}
    ports = scene.state.services[bound[1].service].ports
    dialled = [n for p in ports for n in (p.port, p.node_port) if n]
    answers = {n: [kept.get(n, free[n % len(free)])] for n in dialled}
    return remember(before, scene.state, *bound, answers)


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
