"""Endpoints come, drain and go: who is asked at each stage, and what becomes of the connections that there were."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    BOTH,
    Answered,
    Backend,
    Case,
    EndpointSpec,
    IngressSpec,
    Level,
    PortSpec,
    SeenSource,
    Vantage,
    ask,
    axes,
    becomes,
    by_hand,
    cluster_ip,
    dial,
    draining,
    external,
    external_ip,
    host,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
    vantage,
)
from conformance.model.kube import ServiceType
from conformance.model.outcome import Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CONDITIONS,
    CONNTRACK_CODE,
    READY,
    SERVICE_PAGE,
    SERVING,
    SLICES_PAGE,
    TERMINATING,
    TERMINATING_ENDPOINTS,
    VIRTUAL_IPS,
)

NP, LB = ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER
TCP, UDP = axes(protocol=(Protocol.TCP,)), axes(protocol=(Protocol.UDP,))
REFUSED = Refused(RefusedBy.ICMP)
MANY = 100


def _gone(backend: Backend) -> EndpointSpec:
    """Terminating, and not serving any more."""
    return EndpointSpec(backend, ready=False, serving=False, terminating=True)


def _live(backend: Backend) -> EndpointSpec:
    return EndpointSpec(backend, ready=True, serving=True, terminating=False)


(_A,), (_B,) = on("a"), on("b")
_DRAINING = service(LB, external_ip=True, ingress=(IngressSpec(),), slices=(by_hand(draining(_A), _gone(_B)),))
_ON_A, _AND_B, _A_DRAINS, _ON_B = (
    (by_hand(*ends),) for ends in ((_live(_A),), (_live(_A), _live(_B)), (draining(_A), _live(_B)), (_live(_B),))
)
_GROWING = service(NP, endpoints=on(), called="lif-04")
_BUSY = service(NP, endpoints=on("a"), called="lif-05")
_ROLLING = service(NP, slices=_ON_A, called="lif-06")
_FIRST, _SECOND = (service(slices=s, called=f"lif-07-{n}") for n, s in (("one", _ON_A), ("two", _ON_B)))
_HELD, _TAKER = (service(slices=s, called=f"lif-08-{n}") for n, s in (("one", _ON_A), ("two", _ON_B)))

LIFECYCLE = (
    Case(
        id="LIF-01",
        promise="Where no endpoint is ready, terminating ones that still serve get the traffic, on every node.",
        level=Level.SHOULD,
        sources=(TERMINATING_ENDPOINTS, SERVING, TERMINATING),
        catches=(Fault.TERMINATING_NOT_USED, Fault.NOT_READY_CHOSEN),
        given=_DRAINING.but(called="lif-01"),
        steps=(
            ask("home", dial(cluster_ip(), client=pod("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("pod", dial(cluster_ip(), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            ask("node", dial(cluster_ip(), client=host("b")), Answered(on("a"))),
            ask("port", dial(node_port("b"), client=pod("b")), Answered(on("a"))),
            ask("elsewhere", dial(node_port("b"), client=host("a")), Answered(on("a"))),
            ask("balancer", dial(load_balancer(), client=pod("b")), Answered(on("a"))),
            ask("external", dial(external_ip(), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("J07", "J08", "J09"),
    ),
    Case(
        id="LIF-02",
        promise="Endpoints that terminate and serve no more get no traffic, even if there is no other: it is refused.",
        level=Level.MUST,
        sources=(TERMINATING_ENDPOINTS, SERVING),
        catches=(Fault.NOT_READY_CHOSEN,),
        given=service(NP, slices=(by_hand(_gone(_A), _gone(_B)),), called="lif-02"),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a")), REFUSED),
            ask("node", dial(cluster_ip(), client=host("b")), REFUSED),
            ask("port", dial(node_port("b"), client=pod("a")), REFUSED),
        ),
        needs=(nodes(2),),
        covers=("J09",),
    ),
    Case(
        id="LIF-03",
        promise="Terminating endpoints get no new traffic while any endpoint is ready, be it on another node.",
        level=Level.MUST,
        sources=(TERMINATING_ENDPOINTS, CONDITIONS),
        catches=(Fault.NOT_READY_CHOSEN,),
        given=service(NP, slices=_A_DRAINS, called="lif-03"),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a"), times=40), Answered(on("b"), SeenSource.CLIENT)),
            ask("port", dial(node_port("a"), client=host("a"), times=40), Answered(on("b"))),
        ),
        needs=(nodes(2),),
        covers=("J07",),
    ),
    Case(
        id="LIF-04",
        promise="Endpoints that come get traffic, endpoints that go get none, and without any the Service refuses.",
        level=Level.MUST,
        sources=(READY, SLICES_PAGE, VIRTUAL_IPS),
        catches=(Fault.STALE_ENDPOINT, Fault.ENDPOINT_LEFT_OUT, Fault.NO_ENDPOINTS_ANSWERS),
        given=_GROWING,
        steps=(
            ask("none", dial(cluster_ip(), client=pod("a")), REFUSED),
            becomes(_GROWING.but(endpoints=on("a", "b"))),
            ask("both", dial(cluster_ip(), client=pod("a")), Answered(on("a", "b"), SeenSource.CLIENT)),
            ask("both-port", dial(node_port("b"), client=host("a")), Answered(on("a", "b"))),
            becomes(_GROWING.but(endpoints=on("b"))),
            ask("one", dial(cluster_ip(), client=pod("a"), times=40), Answered(on("b"), SeenSource.CLIENT)),
            ask("one-port", dial(node_port("b"), client=host("a"), times=40), Answered(on("b"))),
            becomes(_GROWING),
            ask("gone", dial(cluster_ip(), client=host("b")), REFUSED),
            ask("gone-port", dial(node_port("b"), client=pod("a")), REFUSED),
        ),
        needs=(nodes(2),),
        covers=("J10",),
    ),
    Case(
        id="LIF-05",
        promise="TCP connections through a Service live on while it, and others, are changed, created and deleted.",
        level=Level.SHOULD,
        sources=(VIRTUAL_IPS, SERVICE_PAGE),
        catches=(Fault.FLOW_BROKEN,),
        given=_BUSY,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="inner"), Answered(on("a"))),
            ask("before-port", dial(node_port("b"), client=pod("b"), flow="outer"), Answered(on("a"))),
            becomes(
                _BUSY.but(ports=(*BOTH, PortSpec("more", Protocol.TCP, 81)), affinity=True, external_ip=True),
                service(endpoints=on("b"), called="lif-05-other"),
            ),
            ask("changed", dial(cluster_ip(), client=pod("b"), flow="inner"), Answered(on("a"))),
            ask("changed-port", dial(node_port("b"), client=pod("b"), flow="outer"), Answered(on("a"))),
            becomes(_BUSY.but(endpoints=on("a", "b"))),
            ask("joined", dial(cluster_ip(), client=pod("b"), flow="inner"), Answered(on("a"))),
            ask("joined-port", dial(node_port("b"), client=pod("b"), flow="outer"), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("J13",),
    ),
    Case(
        id="LIF-06",
        promise="At every stage of a rolling replacement each dial is answered, and old connections live on.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, TERMINATING_ENDPOINTS),
        catches=(Fault.STALE_ENDPOINT, Fault.NOT_READY_CHOSEN, Fault.FLOW_BROKEN),
        given=_ROLLING,
        steps=(
            ask("old", dial(cluster_ip(), client=pod("b"), times=MANY), Answered(on("a"))),
            ask("old-flow", dial(cluster_ip(), client=pod("b"), flow="tcp"), Answered(on("a"))),
            becomes(_ROLLING.but(slices=_AND_B)),
            ask("surge", dial(cluster_ip(), client=pod("b"), times=MANY), Answered(on("a", "b"))),
            becomes(_ROLLING.but(slices=_A_DRAINS)),
            ask("drain", dial(cluster_ip(), client=pod("b"), times=MANY), Answered(on("b"))),
            ask("drain-port", dial(node_port("a"), client=pod("b"), times=MANY), Answered(on("b"))),
            ask("drain-flow", dial(cluster_ip(), client=pod("b"), flow="tcp"), Answered(on("a"))),
            becomes(_ROLLING.but(slices=_ON_B)),
            ask("new", dial(cluster_ip(), client=pod("b"), times=MANY), Answered(on("b"))),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("J14",),
    ),
    Case(
        id="LIF-07",
        promise="An address that one Service gives up and another takes gets the traffic of the new one only.",
        level=Level.MUST,
        sources=(SLICES_PAGE, SERVICE_PAGE),
        catches=(Fault.STALE_ENDPOINT,),
        given=(_FIRST, _SECOND),
        steps=(
            ask("before", dial(cluster_ip("lif-07-one"), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            becomes(_FIRST.but(slices=_ON_B), _SECOND.but(slices=_ON_A)),
            ask("one", dial(cluster_ip("lif-07-one"), client=pod("b"), times=40), Answered(on("b"))),
            ask("two", dial(cluster_ip("lif-07-two"), client=pod("b"), times=40), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("J15",),
    ),
    Case(
        id="LIF-08",
        promise="A UDP flow does not follow an address that its Service gave up to another.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT,),
        given=(_HELD, _TAKER),
        steps=(
            ask("before", dial(cluster_ip("lif-08-one"), client=pod("b"), flow="udp"), Answered(on("a"))),
            becomes(_HELD.but(slices=_ON_B), _TAKER.but(slices=_ON_A)),
            ask("after", dial(cluster_ip("lif-08-one"), client=pod("b"), flow="udp"), Answered(on("b"))),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("J15",),
    ),
    Case(
        id="LIF-09",
        promise="Clients outside the cluster reach terminating endpoints that still serve where no other is ready.",
        level=Level.SHOULD,
        sources=(TERMINATING_ENDPOINTS, SERVING),
        catches=(Fault.TERMINATING_NOT_USED,),
        given=_DRAINING.but(called="lif-01"),
        steps=(
            ask("port", dial(node_port("a"), client=external("a")), Answered(on("a"))),
            ask("balancer", dial(load_balancer(), client=external("a")), Answered(on("a"))),
            ask("external", dial(external_ip(), client=external("a")), Answered(on("a"))),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("J08",),
    ),
)
