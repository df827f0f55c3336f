"""An answer at an address that somebody else has been given meanwhile is no failure; one listing tells for a step."""

from __future__ import annotations

from typing import Any, cast

import pytest

from conformance.model.addresses import Protocol
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Dropped, Expectation
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case
from fixtures import asking
from fixtures.catalogue import areas
from fixtures.ground import Ground
from fixtures.held import Asked

CELL = next(cells_of_case(areas()[0].cases[0], "area"))
THEIRS = {"metadata": {"namespace": "shop", "name": "web"}, "spec": {"clusterIPs": ["10.96.0.7"]}}


class Nothing:
    """Stands for a ground of which nothing but its Services is asked."""

    def __getattr__(self, name: str) -> Nothing:
        return self


def answered(ip: str) -> Asked:
    """A cell that must be dropped and was answered."""
    destination = Destination(DestinationKind.CLUSTER_IP, ip, 80, Protocol.TCP, "run/former")
    seen = Observation((Dial(End.ANSWERED, endpoint="somebody"),), control_before=True, control_after=True)
    client = Client("pod-a", ClientKind.POD, "node-a")
    return Asked(CELL, client, destination, Expectation(Dropped(), ()), observation=seen)


def test_only_what_is_anothers_by_now_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    listings: list[Any] = []

    def elsewhere(arrangement: object) -> list[dict[str, Any]]:
        listings.append(arrangement)
        return [THEIRS]

    monkeypatch.setattr(asking, "elsewhere", elsewhere)
    given, kept = answered("10.96.0.7"), answered("10.96.0.8")
    assert {one.verdict.status for one in (given, kept)} == {Status.FAILED}
    (free,) = asking._given_away(cast(Ground, Nothing()), [given, kept, "not applicable"])
    assert (free.destination, free.verdict.status) == (given.destination, Status.RECORDED)
    assert "shop/web" in free.verdict.message
    assert len(listings) == 1


def test_without_such_an_answer_nothing_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "elsewhere", lambda _: pytest.fail("nobody asked for it"))
    assert list(asking._given_away(cast(Ground, Nothing()), ["not applicable"])) == []
