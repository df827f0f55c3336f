"""What a client is tied to follows it from address to address of one node, and ends with its endpoint."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Breed,
    Case,
    Dialling,
    Level,
    Pinned,
    PortSpec,
    ServiceSpec,
    cluster_ip,
    dial,
    external,
    node_port,
    numbered,
    on,
    pod,
    service,
)
from conformance.model.case.backend import SHARED_PORT
from conformance.model.client import Client, Destination
from conformance.model.cluster import ClusterState
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Pins
from conformance.oracle import Memory, expect_cell, forget, remember
from conformance.plan import imagine
from conformance.plan.bind import bind
from conformance.plan.cells import cells_of_case

PORTS = tuple(PortSpec(name, Protocol.TCP, 8000 + n) for n, name in enumerate(("one", "two")))
WEB = service(ServiceType.NODE_PORT, endpoints=on("a", "b"), affinity=True, ports=PORTS, called="web")
LOCAL = WEB.but(external_policy=Policy.LOCAL)
INSIDE = dial(cluster_ip(), client=pod("a"), rounds=(0,), pin="p")

Scene = tuple[ClusterState, Client, Destination]


def asked(
    spec: ServiceSpec | tuple[ServiceSpec, ...], how: Dialling, memory: Memory | None = None
) -> tuple[Pins, Scene]:
    """What must follow when every port of the Service is dialled so, and on what cluster."""
    case = Case("X-01", "", Level.MUST, (), (), spec, when=how, then=Pinned(()))
    cell = next(cells_of_case(case, "x"))
    imagined = imagine.scene(cell)
    bound = bind(cell, imagined.state, imagined.here)
    assert not isinstance(bound, str)
    outcome = expect_cell(cell, imagined.state, *bound, None, memory).outcome
    assert isinstance(outcome, Pins), outcome
    return outcome, (imagined.state, *bound)


def names(outcome: Pins) -> set[str]:
    return {t.pod for t in outcome.targets}


def kept(outcome: Pins) -> dict[int, set[str]]:
    return {number: {t.pod for t in before} for number, before in outcome.kept}


def tied(one: str, two: str, how: Dialling = INSIDE, spec: ServiceSpec = WEB) -> Memory:
    """What is remembered once port one was answered by this pod and port two by that."""
    outcome, scene = asked(spec, how)
    by_pod = {t.pod: t for t in outcome.targets}
    return remember(Memory(), *scene, {8000: [by_pod[one]], 8001: [by_pod[two]]})


def test_without_memory_every_port_is_free() -> None:
    outcome, _ = asked(WEB, INSIDE)
    assert (names(outcome), kept(outcome)) == ({"web-a", "web-b"}, {})


def test_what_one_address_tied_holds_at_another_on_the_same_node() -> None:
    memory = tied("web-b", "web-a")
    outcome, (_, _, destination) = asked(WEB, dial(node_port("a"), client=pod("a"), rounds=(0,), pin="p"), memory)
    assert kept(outcome) == {destination.port: {"web-b"}, destination.port + 1: {"web-a"}}


def test_another_node_remembers_nothing() -> None:
    outcome, _ = asked(WEB, dial(node_port("b"), client=pod("a"), rounds=(0,), pin="p"), tied("web-b", "web-a"))
    assert kept(outcome) == {}


def test_an_endpoint_that_leaves_takes_its_clients_with_it() -> None:
    memory = tied("web-b", "web-a")
    _, (without, _, _) = asked(WEB.but(endpoints=on("b")), INSIDE)
    outcome, _ = asked(WEB, INSIDE, forget(without, memory))
    assert kept(outcome) == {8000: {"web-b"}}


def test_all_at_one_endpoint_leave_no_other_to_answer() -> None:
    outcome, _ = asked(WEB, INSIDE, tied("web-b", "web-b"))
    assert names(outcome) == {"web-b"}


def test_affinity_that_is_switched_off_forgets() -> None:
    memory = tied("web-b", "web-a")
    plain = next(cells_of_case(Case("X-01", "", Level.MUST, (), (), WEB.but(affinity=False), INSIDE, Pinned(())), "x"))
    assert forget(imagine.scene(plain).state, memory) == Memory()


def test_a_timeout_shorter_than_a_step_promises_nothing_of_what_was_before() -> None:
    short = WEB.but(affinity_seconds=30)
    assert kept(asked(short, INSIDE, tied("web-b", "web-a", spec=short))[0]) == {}


def test_a_local_policy_ties_anew_and_both_ties_are_remembered() -> None:
    outside = dial(cluster_ip(), client=external("a"), rounds=(0,), pin="p")
    inward = dial(node_port("a"), client=external("a"), rounds=(0,), pin="p")
    memory = tied("web-b", "web-a", outside, LOCAL)
    local, scene = asked(LOCAL, inward, memory)
    number = scene[2].port
    assert names(local) == {"web-a"}
    assert kept(local) == {number + 1: {"web-a"}}
    (only,) = local.targets
    after = remember(memory, *scene, {number: [only], number + 1: [only]})
    assert kept(asked(LOCAL, outside, after)[0]) == {8000: {"web-a", "web-b"}, 8001: {"web-a"}}


def test_who_wins_a_node_port_that_is_a_host_port_too_goes_on_winning() -> None:
    rivals = (
        service(ServiceType.NODE_PORT, on("b"), ports=numbered(SHARED_PORT), called="web"),
        service(endpoints=on("a", breed=Breed.PORTED)),
    )
    how = dial(node_port("a"), client=pod("b"), rounds=(0,), pin="p")
    free, scene = asked(rivals, how)
    assert (names(free), kept(free)) == ({"web-b", "ported-a"}, {})
    for winner in free.targets:
        memory = forget(scene[0], remember(Memory(), *scene, {scene[2].port: [winner]}))
        assert kept(asked(rivals, how, memory)[0]) == {scene[2].port: {winner.pod}}
