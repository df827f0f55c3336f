"""Of how many failures evidence is gathered: of few at a time while flows wait, for nodes forget those."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from conformance.model.addresses import Protocol
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.facts import Facts
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Dropped, Expectation
from conformance.plan.cells import cells_of_case
from conformance.probe.request import DialRequest
from conformance.results.lines import Evidence
from fixtures.catalogue import areas
from fixtures.evidence import MEANWHILE, MOST, Gatherer
from fixtures.held import Asked
from fixtures.settings import Settings

CELL = next(cells_of_case(areas()[0].cases[0], "area"))
SEEN = Observation((Dial(End.ANSWERED, endpoint="somebody"),), control_before=True, control_after=True)
STATE = ClusterState({}, {}, {})
HERE = Destination(DestinationKind.CLUSTER_IP, "10.96.0.7", 80, Protocol.UDP, "run/web")


@pytest.fixture
def gatherer(monkeypatch: pytest.MonkeyPatch) -> Gatherer:
    """One that looks at nothing."""
    monkeypatch.setattr(Gatherer, "_gathered", lambda _, one, __: Evidence(one.cell.id))
    settings, nothing = cast(Settings, SimpleNamespace(evidence="", issues=())), cast(Any, None)
    return Gatherer(nothing, nothing, Facts(), settings, {}, lambda _: None)


def failed(number: int, *, flow: bool = False) -> Asked:
    cell, client = replace(CELL, id=f"X-{number}", case=f"X-{number}"), Client("pod-a", ClientKind.POD, "node-a")
    request = replace(DialRequest.to(HERE, cell.id, 1), flow=flow)
    return Asked(cell, client, HERE, Expectation(Dropped(), ()), request, SEEN)


def test_the_first_of_many_failures_are_looked_into(gatherer: Gatherer) -> None:
    assert len(list(gatherer.of(map(failed, range(2 * MOST)), STATE))) == MOST


def test_while_a_flow_waits_few_are_looked_into_and_others_afterwards(gatherer: Gatherer) -> None:
    step = [failed(0, flow=True), *map(failed, range(1, 2 * MOST))]
    assert len(list(gatherer.of(step, STATE))) == MEANWHILE
    last = [one.cell.id for one in gatherer.of(map(failed, range(2 * MOST)), STATE)]
    assert len(last) == MOST - MEANWHILE
    assert "X-0" not in last, "it has been"
