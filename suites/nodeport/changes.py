"""Node ports that come, change and go: what was given up is closed on every node, and free for others."""

from __future__ import annotations

from conformance.model.case import (
    BOTH,
    Answered,
    Ask,
    Case,
    Level,
    SeenSource,
    ask,
    becomes,
    cluster_ip,
    dial,
    node_port,
    nodes,
    numbered,
    on,
    pod,
    service,
)
from conformance.model.kube import ServiceType
from conformance.model.outcome import Refused
from conformance.spec.faults import Fault
from conformance.spec.sources import EXTERNAL_NAME, NODE_PORT, SERVICE_PAGE, SERVICE_TYPE

NP = ServiceType.NODE_PORT


def _closed() -> tuple[Ask, ...]:
    """The first node port is served by no node any more."""
    return tuple(
        ask(f"old-{role}", dial(node_port(role, former=True), client=pod("a")), Refused()) for role in ("a", "b", "c")
    )


_RENUMBERED = service(NP, endpoints=on("a"), ports=numbered(11), called="np-12")
_INWARD = service(NP, endpoints=on("a"), ports=numbered(13), called="np-13")
_ALIAS = service(NP, endpoints=on("a"), ports=numbered(14), called="np-14")
_GONE = service(NP, endpoints=on("a"), ports=numbered(15), called="np-15")
_LEAVING = service(NP, endpoints=on("a"), called="np-16")
_TAKER = service(NP, endpoints=on("b"), called="np-16-next", reuses="np-16")

CHANGES = (
    Case(
        id="NP-12",
        promise="When a Service's node port changes, the new one is served and the old one closed, on every node.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.OLD_NODE_PORT_SERVED, Fault.NODE_PORT_NOT_SERVED, Fault.ONE_PROTOCOL_MISSING),
        given=_RENUMBERED,
        steps=(
            ask("before", dial(node_port("b"), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            becomes(_RENUMBERED.but(ports=numbered(12))),
            ask("new", dial(node_port("b"), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            *_closed(),
        ),
        needs=(nodes(3),),
        covers=("B12", "B14"),
    ),
    Case(
        id="NP-13",
        promise="A Service that becomes ClusterIP is served at its node port no more, but at its ClusterIP still.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, NODE_PORT),
        catches=(Fault.OLD_NODE_PORT_SERVED,),
        given=_INWARD,
        steps=(
            ask("before", dial(node_port("b"), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            becomes(_INWARD.but(type=ServiceType.CLUSTER_IP, ports=BOTH)),
            ask("inside", dial(cluster_ip(), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            *_closed(),
        ),
        needs=(nodes(3),),
        covers=("B12",),
    ),
    Case(
        id="NP-14",
        promise="A Service that becomes ExternalName is served at its node port no more.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, EXTERNAL_NAME),
        catches=(Fault.OLD_NODE_PORT_SERVED,),
        given=_ALIAS,
        steps=(
            ask("before", dial(node_port("b"), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            becomes(_ALIAS.but(type=ServiceType.EXTERNAL_NAME, external_name="example.com")),
            *_closed(),
        ),
        needs=(nodes(3),),
        covers=("B12",),
    ),
    Case(
        id="NP-15",
        promise="The node port of a Service that was deleted is closed on every node.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(Fault.OLD_NODE_PORT_SERVED,),
        given=_GONE,
        steps=(
            ask("before", dial(node_port("b"), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            becomes(),
            *_closed(),
        ),
        needs=(nodes(3),),
        covers=("B11",),
    ),
    Case(
        id="NP-16",
        promise="A node port that another Service takes over leads to that Service's endpoints only.",
        level=Level.MUST,
        sources=(NODE_PORT, SERVICE_PAGE),
        catches=(Fault.NODE_PORT_NOT_SERVED, Fault.ONE_NODE_WRONG),
        given=_LEAVING,
        steps=(
            ask("before", dial(node_port("c"), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            becomes(_TAKER),
            *(
                ask(f"after-{role}", dial(node_port(role, "np-16-next"), client=pod("a")), Answered(on("b")))
                for role in ("a", "b", "c")
            ),
        ),
        needs=(nodes(3),),
        covers=("B15",),
    ),
)
