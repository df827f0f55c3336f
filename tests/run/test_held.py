"""A UDP flow that connection tracking may have forgotten: what it does next is not judged until it is known again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.model.addresses import Protocol
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Dropped, Expectation, Outcome, Reaches, Target
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case
from fixtures.catalogue import areas
from fixtures.held import FLOW_MEMORY, Asked, Held

CASE = next(case for area in areas() for case in area.cases if case.id == "CTK-09")
CELLS = {cell.id.rpartition(".")[2]: cell for cell in cells_of_case(CASE, "conntrack")}
CLIENT = Client("pod-b", ClientKind.POD, "node-b", ("10.244.2.9",))
SERVICE = Destination(DestinationKind.CLUSTER_IP, "10.96.0.7", 80, Protocol.UDP, "run/ctk-09")
WEB_A = Target("10.244.1.15", 8080, frozenset(CLIENT.addresses), "web-a")
STATE = ClusterState({}, {}, {})
Ask = Callable[..., Status]


@pytest.fixture
def held() -> Held:
    """Nothing, as yet."""
    return Held()


@pytest.fixture
def ask(held: Held) -> Ask:
    """Asks a step of the flow at a time, with whoever answers it (nobody: silence), and notes what came of it."""

    def asked(step: str, outcome: Outcome, at: float, answers: str, seen_from: int = 1) -> Status:
        end = Dial(End.ANSWERED, answers, "10.244.2.9", seen_from, at=at) if answers else Dial(End.TIMEOUT, at=at)
        seen = Observation((end,), control_before=True, control_after=True)
        one = held.trusted(Asked(CELLS[step], CLIENT, SERVICE, Expectation(outcome, ()), observation=seen))
        held.note([one], STATE)
        return one.verdict.status

    return asked


def test_a_flow_that_was_remembered_for_longer_than_it_need_be_is_held_to_its_endpoint_again(
    held: Held, ask: Ask
) -> None:
    assert ask("before", Reaches(frozenset({WEB_A})), 100.0, "web-a") is Status.PASSED
    assert ask("joined", Dropped(), 101 + FLOW_MEMORY, "web-a") is Status.RECORDED
    holder = held.flow(CELLS["left"])
    assert holder and holder.pod == "web-a"
    assert ask("left", Reaches(frozenset({WEB_A})), 102 + FLOW_MEMORY, "") is Status.FAILED


@pytest.mark.parametrize("somebody", ["web-b", ""])
def test_a_flow_of_which_nobody_knows_whether_it_was_forgotten_is_not_judged_again(ask: Ask, somebody: str) -> None:
    ask("before", Reaches(frozenset({WEB_A})), 100.0, "web-a")
    assert ask("joined", Dropped(), 101 + FLOW_MEMORY, somebody) is Status.RECORDED
    assert ask("left", Dropped(), 102 + FLOW_MEMORY, "web-a") is Status.RECORDED


def test_a_flow_that_was_asked_in_time_is_judged(ask: Ask) -> None:
    ask("before", Reaches(frozenset({WEB_A})), 100.0, "web-a")
    assert ask("joined", Dropped(), 99 + FLOW_MEMORY, "web-a") is Status.FAILED


def test_a_flow_that_its_endpoint_was_given_anew_is_held_to_its_new_translation(held: Held, ask: Ask) -> None:
    ask("before", Reaches(frozenset({WEB_A})), 100.0, "web-a", 47094)
    assert ask("joined", Dropped(), 101 + FLOW_MEMORY, "web-a", 43497) is Status.RECORDED
    holder = held.flow(CELLS["left"])
    assert holder and holder.source_port == 43497


@pytest.mark.parametrize(
    ("somebody", "port", "then"),
    [("web-a", 7, Status.FAILED), ("web-b", 7, Status.RECORDED), ("web-a", 8, Status.RECORDED)],
)
def test_a_flow_that_its_endpoint_answers_between_two_steps_is_remembered_from_then_on(
    held: Held, ask: Ask, somebody: str, port: int, then: Status
) -> None:
    ask("before", Reaches(frozenset({WEB_A})), 100.0, "web-a", 7)
    seen = Observation((Dial(End.ANSWERED, somebody, "10.244.2.9", port, at=120.0),))
    held.renew(Asked(CELLS["before"], CLIENT, SERVICE, Expectation(Reaches(frozenset({WEB_A})), ()), observation=seen))
    assert ask("joined", Dropped(), 119 + FLOW_MEMORY, "web-a", 7) is then
