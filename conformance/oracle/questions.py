"""What must follow a cell's question, whatever kind of question it is."""

from __future__ import annotations

from itertools import pairwise

from conformance.model.case.refs import WHOLE
from conformance.model.cell import Cell
from conformance.model.client import Client, Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.outcome import Expectation, Pins, Quiet, Reaches, Refused, RefusedBy, Target, Tells, Unspecified
from conformance.model.source import Reason
from conformance.oracle.capture import accepts_node_ports
from conformance.oracle.established import expect_established
from conformance.oracle.health_check import expect_health_check
from conformance.oracle.names import expect_lookup
from conformance.oracle.walk import expect
from conformance.spec import sources as cite

SLACK = 1.0
"""Seconds around a session affinity timeout in which nothing is promised: timers are kept in coarse ticks."""


def expect_cell(
    cell: Cell, state: ClusterState, client: Client, destination: Destination, held: Target | None = None
) -> Expectation:
    """What must follow ``cell``; ``held`` is who answered the same flow in an earlier question, None if nobody."""
    match destination.kind:
        case DestinationKind.UPLINK:
            text = f"addresses of the Service CIDR {destination.word} mean nothing outside the cluster"
            return Expectation(Quiet(), (Reason(text, cite.NFTABLES_KEP),))
        case DestinationKind.HEALTH_CHECK:
            return _health_check(state, destination, whole=cell.destination.word == WHOLE)
        case DestinationKind.PROXY_PAGE:
            return _proxy_page(state, destination)
        case DestinationKind.LOOKUP:
            return expect_lookup(state, destination.service, destination.word)
        case _ if cell.dialling.flow:
            return expect_established(state, client, destination, held)
        case _ if cell.dialling.rounds:
            return _pins(cell, state, expect(state, client, destination), destination)
        case _:
            return expect(state, client, destination)


def _health_check(state: ClusterState, destination: Destination, *, whole: bool) -> Expectation:
    service, node = state.services.get(destination.service), state.nodes[destination.node]
    told = expect_health_check(state, service, node, destination.family) if service else None
    if told is None or service is None or service.health_check_node_port != destination.port:
        text = f"no Service has {destination.port} as its healthCheckNodePort"
        return Expectation(Refused(RefusedBy.ANY), (Reason(text, cite.HEALTH_CHECK_NODE_PORT),))
    if not accepts_node_ports(state.proxy, node, destination.ip):
        text = f"{node.name} serves node ports, health checks among them, elsewhere than at {destination.ip}"
        return Expectation(Refused(RefusedBy.ANY), (Reason(text, cite.HEALTH_CHECK_CODE),))
    text = f"{told.local_endpoints} ready endpoints are on {node.name}"
    says = Tells(told.status, told.local_endpoints, service=service.key if whole else "")
    return Expectation(says, (Reason(text, cite.HEALTH_CHECK_NODE_PORT),))


def _proxy_page(state: ClusterState, destination: Destination) -> Expectation:
    body = state.proxy.mode.value if destination.word == "/proxyMode" else ""
    return Expectation(Tells(200, body=body), (Reason("kube-proxy runs and is in order", cite.HEALTHZ),))


def _pins(cell: Cell, state: ClusterState, each: Expectation, destination: Destination) -> Expectation:
    seconds = state.services[destination.service].affinity_seconds
    if not isinstance(each.outcome, Reaches) or not each.outcome.sticky or seconds is None:
        return each
    gap = max((later - sooner for sooner, later in pairwise(cell.dialling.rounds)), default=0.0)
    if abs(gap - seconds) < SLACK:
        return Expectation(Unspecified(f"rounds {gap:.0f} s apart are too near to the timeout"), each.reasons)
    text = f"the rounds are {gap:.0f} s apart" + (", so the pins have expired" if gap > seconds else "")
    pins = Pins(each.outcome.targets, forgets=gap > seconds)
    return Expectation(pins, (*each.reasons, Reason(text, cite.AFFINITY_TIMEOUT)))
