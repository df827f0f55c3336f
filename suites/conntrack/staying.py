"""Flows that have to stay where they are: what changed is none of their business."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Case,
    EndpointSpec,
    Level,
    PortSpec,
    SlicePort,
    ask,
    axes,
    becomes,
    by_hand,
    cluster_ip,
    dial,
    draining,
    node_port,
    nodes,
    on,
    pod,
    service,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped
from conformance.spec.faults import Fault
from conformance.spec.sources import CONNTRACK_CODE, TERMINATING_ENDPOINTS, VIRTUAL_IPS

UDP = axes(protocol=(Protocol.UDP,))
TCP = axes(protocol=(Protocol.TCP,))

_A, _B = on("a", "b")
_KEPT = service(endpoints=on("a"), called="ctk-08")
_GROWING = service(ServiceType.NODE_PORT, on("a"), called="ctk-09")
_ONE, _TWO = (SlicePort("one", Protocol.UDP),), (SlicePort("two", Protocol.UDP),)
_TWO_PORTS = service(
    called="ctk-13",
    ports=(PortSpec("one", Protocol.UDP), PortSpec("two", Protocol.UDP, 81)),
    slices=(by_hand(EndpointSpec(_A), ports=_ONE), by_hand(EndpointSpec(_A), ports=_TWO)),
)

STAYING = (
    Case(
        id="CTK-08",
        promise="A TCP connection through a Service lives on when its endpoint leaves the Service.",
        level=Level.SHOULD,
        sources=(VIRTUAL_IPS, CONNTRACK_CODE),
        catches=(Fault.NO_SERVICE_RULES,),
        given=_KEPT,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="tcp"), Answered(on("a"))),
            becomes(_KEPT.but(endpoints=on("b"))),
            ask("after", dial(cluster_ip(), client=pod("b"), flow="tcp"), Answered(on("a"))),
            ask("new", dial(cluster_ip(), client=pod("b")), Answered(on("b"))),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("J12",),
    ),
    Case(
        id="CTK-09",
        promise="A UDP flow keeps its endpoint and its translation while other endpoints of the Service come and go.",
        level=Level.SHOULD,
        sources=(VIRTUAL_IPS, CONNTRACK_CODE),
        catches=(Fault.FLOWS_FORGOTTEN,),
        given=_GROWING,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="cluster"), Answered(on("a"))),
            ask("before-node", dial(node_port("b"), client=pod("b"), flow="node"), Answered(on("a"))),
            # Policy Local sends every new flow elsewhere, so that one which was forgotten cannot stay by chance.
            becomes(_GROWING.but(endpoints=on("a", "b"), internal_policy=Policy.LOCAL)),
            ask("joined", dial(cluster_ip(), client=pod("b"), flow="cluster"), Answered(on("a"))),
            ask("joined-node", dial(node_port("b"), client=pod("b"), flow="node"), Answered(on("a"))),
            ask("joined-new", dial(cluster_ip(), client=pod("b")), Answered(on("b"))),
            becomes(_GROWING.but(internal_policy=Policy.LOCAL)),
            ask("left", dial(cluster_ip(), client=pod("b"), flow="cluster"), Answered(on("a"))),
            ask("left-node", dial(node_port("b"), client=pod("b"), flow="node"), Answered(on("a"))),
            ask("left-new", dial(cluster_ip(), client=pod("b")), Dropped()),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("K09",),
    ),
    Case(
        id="CTK-13",
        promise="A UDP flow stays with an endpoint that only drains, when another port of the address changes its own.",
        level=Level.SHOULD,
        sources=(TERMINATING_ENDPOINTS, CONNTRACK_CODE),
        catches=(Fault.FLOWS_FORGOTTEN_BY_ADDRESS, Fault.FLOWS_FORGOTTEN),
        given=_TWO_PORTS,
        steps=(
            ask("before", dial(cluster_ip(port="one"), client=pod("b"), flow="one"), Answered(on("a"))),
            ask("before-two", dial(cluster_ip(port="two"), client=pod("b"), flow="two"), Answered(on("a"))),
            becomes(
                _TWO_PORTS.but(
                    slices=(
                        by_hand(draining(_A), EndpointSpec(_B), ports=_ONE),
                        by_hand(EndpointSpec(_B), ports=_TWO),
                    )
                )
            ),
            ask("after", dial(cluster_ip(port="one"), client=pod("b"), flow="one"), Answered(on("a"))),
            ask("after-new", dial(cluster_ip(port="one"), client=pod("b")), Answered(on("b"))),
            ask("after-two", dial(cluster_ip(port="two"), client=pod("b"), flow="two"), Answered(on("b"))),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("K09",),
    ),
)
