"""Which surprises are asked again at once, and which wait until the last step is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import pytest

from conformance.model.addresses import Protocol
from conformance.model.cell import Cell
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Dropped, Expectation
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case
from conformance.probe.request import DialRequest
from conformance.results.lines import Objects
from fixtures import asking
from fixtures.asking import UNCONFIRMED
from fixtures.catalogue import areas
from fixtures.ground import Ground
from fixtures.held import Asked, Held

CELL = next(cells_of_case(areas()[0].cases[0], "area"))
STATE = ClusterState({}, {}, {})
HERE = Destination(DestinationKind.CLUSTER_IP, "10.96.0.7", 80, Protocol.UDP, "run/web")
SEEN = Observation((Dial(End.ANSWERED, endpoint="somebody"),), control_before=True, control_after=True)


class Nobody:
    """Of a ground what a step needs when nothing is asked of it."""

    gatherer = None

    def __init__(self) -> None:
        self.objects = dict[str, Objects]()

    def look(self) -> bool:
        """No node is gone."""
        return False

    def absence(self, _: Cell) -> str:
        """Nor is a cell's."""
        return ""


def cell(name: str, *, story: str = "", phases: int = 1, kind: DestinationKind = DestinationKind.CLUSTER_IP) -> Cell:
    what = replace(CELL.dialling, destination=replace(CELL.destination, kind=kind))
    return replace(CELL, id=name, story=story or name, phases=CELL.phases * phases, what=what)


@pytest.fixture
def surprised(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The IDs that are asked again, each time; every answer is one where silence was promised."""
    times: list[list[str]] = []

    def bound(_: object, cell: Cell, *__: object) -> Asked:
        there = replace(HERE, kind=cell.destination.kind)
        request = DialRequest.to(HERE, cell.id, 1)
        client = Client("pod-a", ClientKind.POD, "node-a")
        return Asked(cell, client, there, Expectation(Dropped(), ()), request)

    def swept(_: object, bound: dict[str, Asked], __: object) -> Iterator[Asked]:
        return (replace(one, observation=SEEN) for one in bound.values())

    def again(_: object, some: Sequence[Asked]) -> Sequence[Asked]:
        times.append([one.cell.id for one in some])
        return some

    monkeypatch.setattr(asking, "_bound", bound)
    monkeypatch.setattr(asking, "_swept", swept)
    monkeypatch.setattr(asking, "_unfit", lambda *_: None)
    monkeypatch.setattr(asking, "_submitted", lambda *_: {})
    monkeypatch.setattr(asking, "_given_away", lambda *_: ())
    monkeypatch.setattr(asking, "again", again)
    return times


def test_what_stands_still_is_put_off_and_neither_a_story_nor_what_a_watch_is_for(surprised: list[list[str]]) -> None:
    watch = cell("watch", story="leak", kind=DestinationKind.UPLINK)
    cells = [cell("still"), cell("moves", phases=2), cell("sent", story="leak"), watch]
    kept, later = list[Asked](), dict[str, Asked]()
    ground = cast(Ground, Nobody())
    answers = dict(asking.ask_all(ground, STATE, cells, lambda _: None, kept.append, Held(), later))
    assert surprised == [["moves", "sent"]]
    assert later.keys() == {"still"}
    assert answers.keys() == {"moves", "sent", "watch"}
    first = next(one for one in kept if one.cell.id == "still")
    assert first.observation.trouble == UNCONFIRMED, "an interrupt now must not make a failure of it"
    assert first.verdict.status is Status.UNKNOWN


def test_without_a_later_step_all_are_asked_again_at_once(surprised: list[list[str]]) -> None:
    cells = [cell("still"), cell("moves", phases=2)]
    answers = dict(asking.ask_all(cast(Ground, Nobody()), STATE, cells, lambda _: None, lambda _: None, Held()))
    assert surprised == [["still", "moves"]]
    assert answers.keys() == {"still", "moves"}
