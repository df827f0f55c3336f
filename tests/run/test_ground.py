"""A node whose proxy stands still: its cells are asked and say so, instead of keeping all others from being asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from conformance.arrange.arrangement import Arrangement
from conformance.arrange.services import Services
from conformance.model.addresses import Protocol
from conformance.model.client import Client, ClientKind
from conformance.model.facts import Facts
from conformance.model.kube import Service, ServicePort, ServiceType
from conformance.model.observation import Dial, End, Observation
from conformance.model.surroundings import Surroundings
from conformance.plan.cells import cells_of_case
from conformance.plan.landscape import Landscape
from conformance.probe.prober import Asked, Prober, Seen
from fixtures.catalogue import areas
from fixtures.ground import Ground, pod_roles

PORT = ServicePort("tcp", Protocol.TCP, 80, 8080)
LAST = Service("run", "last", ServiceType.CLUSTER_IP, (PORT,), cluster_ips=("10.96.0.9",))


class OneStandsStill(Prober):
    """Answers from every node but node-b; remembers who was asked."""

    def __init__(self) -> None:
        super().__init__([])
        self.asked: list[set[str]] = []

    def sweep(self, asked: Asked) -> Iterator[Seen]:
        self.asked.append(set(asked))
        for name, requests in asked.items():
            dial = Dial(End.TIMEOUT) if name == "node-b" else Dial(End.ANSWERED, endpoint="web-a")
            yield from ((r.key, Observation((dial,))) for r in requests)


def test_a_node_that_does_not_serve_the_last_service_is_waited_for_once() -> None:
    prober, said = OneStandsStill(), list[str]()
    clients = {n: Client(n, ClientKind.NODE, n) for n in ("node-a", "node-b")}
    here = Surroundings({}, {}, clients, (), 8080)
    there = Ground(
        Services(cast(Arrangement, None)), prober, Landscape((), ()), here, Facts(), said.append, patience=0.05
    )
    there._settle(LAST)
    assert [s.split(":")[0] for s in said] == ["node-b"]
    prober.asked.clear()
    there._settle(LAST)
    assert all(asked == {"node-a"} for asked in prober.asked)
    assert prober.asked
    assert len(said) == 1


def test_a_pod_that_a_source_range_names_is_there_though_it_dials_nothing() -> None:
    (case,) = (case for area in areas() for case in area.cases if case.id == "LB-24")
    assert {cell.client.kind for cell in cells_of_case(case, "loadbalancer")} == {ClientKind.NODE}
    assert pod_roles(cells_of_case(case, "loadbalancer")) == ["a"]
