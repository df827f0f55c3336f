"""The questions of cases, put to the oracle in the imagined cluster, in their order: one hangs on what came before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance.model.case import Submission
from conformance.model.cell import Cell
from conformance.model.client import Client, Destination, DestinationKind
from conformance.model.outcome import Expectation, Pins, Reaches, Target
from conformance.oracle import Memory, expect_cell, forget, remember
from conformance.plan import imagine
from conformance.plan.bind import bind
from conformance.plan.imagine import Imagined

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A question, who asks whom in the imagined cluster, and what must follow."""

    cell: Cell
    scene: Imagined
    client: Client
    destination: Destination
    expectation: Expectation


def rehearse(cells: Iterable[Cell]) -> Iterator[Rehearsed]:
    """Every question but those to the API server and to nodes themselves, of which there is no oracle.

    A flow is taken to be answered where only one endpoint may; a tie of session affinity to the next endpoint in turn.
    ``LookupError`` for a cell that the imagined cluster has no address for.
    """
    held: dict[Key, Target] = {}
    pins: dict[Key, Memory] = {}
    for cell in cells:
        if isinstance(cell.what, Submission) or cell.destination.kind is DestinationKind.NODE:
            continue
        scene = imagine.scene(cell)
        match bind(cell, scene.state, scene.here):
            case str() as why:
                raise LookupError(f"{cell.id}: {why}")
            case bound:
                client, destination = bound
        flow, pin = (cell.story, cell.what.flow), (cell.story, cell.what.pin)
        before = forget(scene.state, pins.get(pin, Memory()))
        known = held.pop(flow, None) if cell.what.flow else None
        expectation = expect_cell(cell, scene.state, client, destination, known, before)
        one = Rehearsed(cell, scene, client, destination, expectation)
        outcome = one.expectation.outcome
        if cell.what.flow and isinstance(outcome, Reaches) and len(outcome.targets) == 1:
            held[flow] = next(iter(outcome.targets))
        if cell.what.pin and isinstance(outcome, Pins):
            pins[pin] = _tied(one, outcome, before)
        yield one


def _tied(one: Rehearsed, outcome: Pins, before: Memory) -> Memory:
    """What is remembered when every port that is free to choose takes the next endpoint."""
    free = sorted(outcome.targets, key=lambda t: t.pod)
    kept = {number: min(them, key=lambda t: t.pod) for number, them in outcome.kept}
    ports = one.scene.state.services[one.destination.service].ports
    dialled = [n for p in ports for n in (p.port, p.node_port) if n]
    answers = {n: [kept.get(n, free[n % len(free)])] for n in dialled}
    return remember(before, one.scene.state, one.client, one.destination, answers)
