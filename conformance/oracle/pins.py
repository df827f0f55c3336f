"""Port by port, what a client is tied to from one question of a case to the next.

By session affinity; or because a hostPort and a node port have one number, of which the first to win is to go on so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from conformance.model.addresses import Family
from conformance.model.cell import Cell
from conformance.model.client import Client, Destination
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node, Policy, Service, ServicePort
from conformance.model.outcome import Expectation, Pins, Reaches, Target, Unspecified
from conformance.model.source import Reason
from conformance.oracle.endpoints import usable
from conformance.oracle.walk import expect
from conformance.spec import sources as cite

SLACK = 1.0
"""Seconds around a session affinity timeout in which nothing is promised: timers are kept in coarse ticks."""
LASTING = 60
"""A shorter timeout may pass between two steps of a case: then nothing is promised of what was before."""

Ends = frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one client of a Service: endpoints by node and Service port name.

    There may be several, chosen under different policies: a node keeps one list of clients an endpoint.
    """

    service: str = ""
    family: Family = Family.IPV4
    ends: Mapping[tuple[str, str], Ends] = field(default_factory=dict)


def expect_pins(
    cell: Cell, state: ClusterState, client: Client, destination: Destination, memory: Memory
) -> Expectation:
    """What must follow when every port of the Service is dialled in rounds by a client of whom ``memory`` tells."""
    each = expect(state, client, destination)
    outcome, seconds = each.outcome, state.services[destination.service].affinity_seconds
    if not isinstance(outcome, Reaches) or not (outcome.sticky or _known(cell, outcome)):
        return each
    if seconds is None:
        return _as_before(each, outcome, _kept(state, client, destination, memory, outcome.targets))
    gap = max((later - sooner for sooner, later in pairwise(cell.dialling.rounds)), default=0.0)
    if abs(gap - seconds) < SLACK:
        return Expectation(Unspecified(f"rounds {gap:.0f} s apart are too near to the timeout"), each.reasons)
    text = f"the rounds are {gap:.0f} s apart" + (", so the pins have expired" if gap > seconds else "")
    reasons = (*each.reasons, Reason(text, cite.AFFINITY_TIMEOUT))
    if gap > seconds:
        return Expectation(Pins(outcome.targets, forgets=True), reasons)
    kept = _kept(state, client, destination, memory, outcome.targets) if seconds > LASTING else {}
    if not kept:
        return Expectation(Pins(outcome.targets), reasons)
    whole = len(kept) == len(numbers(state, destination))
    targets = frozenset(t for before in kept.values() for t in before) if whole else outcome.targets
    text = f"the client was tied to an endpoint of {len(kept)} ports before, whichever address it dialled"
    return Expectation(Pins(targets, kept=tuple(sorted(kept.items()))), (*reasons, Reason(text, cite.SESSION_AFFINITY)))


def _as_before(each: Expectation, outcome: Reaches, kept: Mapping[int, frozenset[Target]]) -> Expectation:
    """Of a node port whose number is a hostPort too: whoever won first is to go on winning."""
    text = "nothing has changed that decides which of the two gets it" if kept else "it is one of the two every time"
    reasons = (*each.reasons, Reason(text, cite.HOST_PORT))
    return Expectation(Pins(outcome.targets, kept=tuple(sorted(kept.items()))), reasons)


def forget(state: ClusterState, memory: Memory) -> Memory:
    """What is left of ``memory``: an endpoint that a node may not choose any more takes its clients with it."""
    service = state.services.get(memory.service)
    if service is None:
        return Memory()
    ports = {p.name: p for p in service.ports}
    left = {
        (node, name): ends & _lasting(state, service, ports[name], memory.family, state.nodes[node])
        for (node, name), ends in memory.ends.items()
        if name in ports
    }
    return Memory(memory.service, memory.family, left) if any(left.values()) else Memory()


def remember(
    memory: Memory,
    state: ClusterState,
    client: Client,
    destination: Destination,
    answers: Mapping[int, Iterable[Target]],
) -> Memory:
    """``memory`` after the ports (the numbers dialled) were answered by these."""
    ends = dict(memory.ends) if memory.service == destination.service else {}
    for number, name in numbers(state, destination).items():
        key = (_translator(client, destination), name)
        ends[key] = ends.get(key, frozenset()) | {(t.address, t.port) for t in answers.get(number, ())}
    return Memory(destination.service, destination.family, ends)


def numbers(state: ClusterState, destination: Destination) -> dict[int, str]:
    """The names of the Service's ports of the destination's protocol, by the number that is dialled."""
    ports = [p for p in state.services[destination.service].ports if p.protocol is destination.protocol]
    at_node = destination.port in {p.node_port for p in ports}
    return {(p.node_port if at_node else p.port): p.name for p in ports}


def _known(cell: Cell, outcome: Reaches) -> bool:
    """What moves the client is known where the case names its pin, for nobody else dials as this client."""
    return outcome.movable and bool(cell.dialling.pin)


def _kept(
    state: ClusterState, client: Client, destination: Destination, memory: Memory, targets: Iterable[Target]
) -> dict[int, frozenset[Target]]:
    by_end = {(t.address, t.port): t for t in targets}
    found = {}
    for number, name in numbers(state, destination).items():
        before = memory.ends.get((_translator(client, destination), name), frozenset())
        if before & by_end.keys():
            found[number] = frozenset(by_end[end] for end in before & by_end.keys())
    return found


def _translator(client: Client, destination: Destination) -> str:
    """The node whose rules choose: that of the address where it is a node's, else the client's own."""
    return destination.node or client.node


def _lasting(state: ClusterState, service: Service, port: ServicePort, family: Family, node: Node) -> Ends:
    """Who may go on answering a client that they answered before."""
    mapped = [m for m in state.host_ports.get(node.name, ()) if m.port.takes(m.port.ip, port.node_port, port.protocol)]
    rivals = frozenset((ip, m.target) for m in mapped if (ip := m.address(family)))
    if service.affinity_seconds is None and not rivals:
        return frozenset()
    return rivals | _chosen_from(state, service, port, family, node)


def _chosen_from(state: ClusterState, service: Service, port: ServicePort, family: Family, node: Node) -> Ends:
    """The endpoints that some rule of ``node`` may choose for ``port``, whichever way one reads the slices."""
    outer = bool(service.external_ips or service.ingress or port.node_port)
    internal_local = service.internal_policy is Policy.LOCAL
    external_local = outer and service.external_policy is Policy.LOCAL
    readings = []
    for choice in usable(state, service, port, family, node):
        cluster = choice.cluster.backends if outer or not internal_local else ()
        local = choice.local.backends if internal_local or external_local else ()
        readings.append(frozenset((b.address, b.port) for b in (*cluster, *local)))
    return frozenset.intersection(*readings) if readings else frozenset()
