"""What must follow a cell's question, whatever kind of question it is."""

from __future__ import annotations

from conformance.model.case import Disruption
from conformance.model.case.refs import WHOLE
from conformance.model.cell import Cell
from conformance.model.client import Client, Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.outcome import Expectation, Faithful, Quiet, Refused, RefusedBy, Target, Tells, Unspecified
from conformance.model.source import Reason
from conformance.oracle.capture import accepts_node_ports
from conformance.oracle.established import expect_established
from conformance.oracle.health_check import expect_health_check
from conformance.oracle.names import expect_lookup
from conformance.oracle.path import along_the_path
from conformance.oracle.pins import Memory, expect_pins
from conformance.oracle.walk import expect
from conformance.spec import sources as cite

_BARE = (
    "whether Services are served before kube-proxy writes all its rules anew is left open: in nftables mode it watches "
    "none of them, and writes all when a change fails, when it starts, and once an hour"
)
"""Of a node whose rules somebody has deleted, as long as nothing has changed since."""


def expect_cell(
    cell: Cell,
    state: ClusterState,
    client: Client,
    destination: Destination,
    held: Target | None = None,
    memory: Memory | None = None,
) -> Expectation:
    """What must follow ``cell``.

    ``held`` is who answered the same flow in an earlier question, None if nobody; ``memory`` what affinity remembers
    from earlier questions with the same pin.
    """
    going_on = cell.disturbance
    if going_on and going_on.what is Disruption.DELETE_RULES and going_on.role == cell.client.role:
        return Expectation(Unspecified(_BARE), (Reason(_BARE, cite.NFTABLES_KEP),))
    match destination.kind:
        case DestinationKind.UPLINK:
            text = f"addresses of the Service CIDR {destination.word} mean nothing outside the cluster"
            return Expectation(Quiet(), (Reason(text, cite.NFTABLES_KEP),))
        case DestinationKind.RULES:
            text = "kube-proxy writes what the API's objects ask for, and nothing else, into a table of its own"
            return Expectation(Faithful(), (Reason(text, cite.NFTABLES_CODE),))
        case DestinationKind.HEALTH_CHECK:
            return _health_check(state, destination, whole=cell.destination.word == WHOLE)
        case DestinationKind.PROXY_PAGE:
            return _proxy_page(state, destination)
        case DestinationKind.LOOKUP:
            return expect_lookup(state, destination.service, destination.word)
        case _ if cell.dialling.flow:
            return expect_established(state, client, destination, held)
        case _ if cell.dialling.rounds:
            return expect_pins(cell, state, client, destination, memory or Memory())
        case _:
            return along_the_path(cell, expect(state, client, destination))


def _health_check(state: ClusterState, destination: Destination, *, whole: bool) -> Expectation:
    service, node = state.services.get(destination.service), state.nodes[destination.node]
    told = expect_health_check(state, service, node, destination.family) if service else None
    if told is None or service is None or service.health_check_node_port != destination.port:
        text = f"no Service has {destination.port} as its healthCheckNodePort"
        return Expectation(Refused(RefusedBy.ANY), (Reason(text, cite.HEALTH_CHECK_NODE_PORT),))
    if not accepts_node_ports(state.at(node.name), node, destination.ip):
        text = f"{node.name} serves node ports, health checks among them, elsewhere than at {destination.ip}"
        return Expectation(Refused(RefusedBy.ANY), (Reason(text, cite.HEALTH_CHECK_CODE),))
    text = f"{told.local_endpoints} ready endpoints are on {node.name}"
    says = Tells(told.status, told.local_endpoints, service=service.key if whole else "")
    return Expectation(says, (Reason(text, cite.HEALTH_CHECK_NODE_PORT),))


def _proxy_page(state: ClusterState, destination: Destination) -> Expectation:
    body = state.proxy.mode.value if destination.word == "/proxyMode" else ""
    return Expectation(Tells(200, body=body), (Reason("kube-proxy runs and is in order", cite.HEALTHZ),))
