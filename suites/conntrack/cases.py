"""Connection tracking: what was established lives on, and what leads nowhere is forgotten."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Case,
    Level,
    Matrix,
    SeenSource,
    ask,
    axes,
    becomes,
    cluster_ip,
    dial,
    nodes,
    on,
    pod,
    service,
)
from conformance.model.outcome import Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import CONNTRACK_CODE, SERVICE_PAGE, VIRTUAL_IPS

UDP = axes(protocol=(Protocol.UDP,))
TCP = axes(protocol=(Protocol.TCP,))

_MOVING = service(endpoints=on("a"), called="ctk-01")
_EMPTIED = service(endpoints=on("a"), called="ctk-04")
_KEPT = service(endpoints=on("a"), called="ctk-08")

CASES = (
    Case(
        id="CTK-01",
        promise="A UDP flow with a fixed source port follows when its endpoint is replaced by another.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT,),
        given=_MOVING,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="udp"), Answered(on("a"), SeenSource.CLIENT)),
            becomes(_MOVING.but(endpoints=on("b"))),
            ask("after", dial(cluster_ip(), client=pod("b"), flow="udp"), Answered(on("b"), SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("K01",),
    ),
    Case(
        id="CTK-04",
        promise="A UDP flow is refused once its Service has no endpoint any more.",
        level=Level.MUST,
        sources=(VIRTUAL_IPS, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT,),
        given=_EMPTIED,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="udp"), Answered(on("a"))),
            becomes(_EMPTIED.but(endpoints=on())),
            ask("after", dial(cluster_ip(), client=pod("b"), flow="udp"), Refused(RefusedBy.ICMP)),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("K04",),
    ),
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
)

MATRICES: tuple[Matrix, ...] = ()
