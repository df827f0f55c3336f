"""healthCheckNodePort: what each node tells load balancers of a Service with externalTrafficPolicy Local."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Case,
    EndpointSpec,
    IngressSpec,
    Level,
    Matrix,
    Profile,
    Says,
    SeenSource,
    Vantage,
    ask,
    axes,
    becomes,
    by_hand,
    dial,
    draining,
    external,
    health_check,
    host,
    load_balancer,
    nodes,
    on,
    on_host,
    pod,
    service,
    vantage,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Refused
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    EXTERNAL_POLICY,
    HEALTH_CHECK_CODE,
    HEALTH_CHECK_NODE_PORT,
    NODE_PORT_ADDRESSES,
    READY,
    TERMINATING_ENDPOINTS,
)

LB, LOCAL = ServiceType.LOAD_BALANCER, Policy.LOCAL
VIP = (IngressSpec(),)
FAMILIES = axes(protocol=())
TCP = axes(protocol=(Protocol.TCP,))
(WEB_A,), (WEB_B,) = on("a"), on("b")

_PLAIN = service(LB, endpoints=on("a"), external_policy=LOCAL, ingress=VIP, called="hcn")
_DRAINED = service(
    LB,
    external_policy=LOCAL,
    ingress=VIP,
    slices=(by_hand(draining(WEB_A), EndpointSpec(WEB_B, ready=True)),),
    called="hcn-03",
)
_FLIPPED = service(LB, endpoints=on("a"), external_policy=LOCAL, ingress=VIP, health_check_port=32, called="hcn-04")
_SCALED = service(LB, endpoints=(*on("a"), *on_host("a")), external_policy=LOCAL, ingress=VIP, called="hcn-06")
_SICK = service(
    LB, external_policy=LOCAL, ingress=VIP, slices=(by_hand(EndpointSpec(WEB_A, ready=True)),), called="hcn-07"
)
_DELETED = service(LB, endpoints=on("a"), external_policy=LOCAL, ingress=VIP, called="hcn-09")

CASES = (
    Case(
        id="HCN-01",
        promise="A node with a ready endpoint passes the load balancer's health check; one without fails it.",
        level=Level.MUST,
        sources=(HEALTH_CHECK_NODE_PORT, EXTERNAL_POLICY),
        catches=(Fault.HEALTH_CHECK_NOT_SERVED, Fault.HEALTH_CHECK_WRONG_COUNT),
        given=_PLAIN,
        steps=(
            ask("with", dial(health_check("a"), client=pod("b")), Says(200, local_endpoints=1)),
            ask("without", dial(health_check("b"), client=pod("a")), Says(503, local_endpoints=0)),
            ask("own-node", dial(health_check("a"), client=host("a")), Says(200, local_endpoints=1)),
        ),
        needs=(nodes(2),),
        across=FAMILIES,
        covers=("G14", "G20"),
    ),
    Case(
        id="HCN-02",
        promise="Load balancers outside the cluster are told by each node whether it has a ready endpoint.",
        level=Level.MUST,
        sources=(HEALTH_CHECK_NODE_PORT, EXTERNAL_POLICY),
        catches=(Fault.HEALTH_CHECK_NOT_SERVED, Fault.HEALTH_CHECK_WRONG_COUNT),
        given=_PLAIN,
        steps=(
            ask("with", dial(health_check("a"), client=external()), Says(200, local_endpoints=1)),
            ask("without", dial(health_check("b"), client=external()), Says(503, local_endpoints=0)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=FAMILIES,
        covers=("G14",),
    ),
    Case(
        id="HCN-03",
        promise="A node whose endpoints all terminate fails the health check while they still serve.",
        level=Level.MUST,
        sources=(HEALTH_CHECK_NODE_PORT, TERMINATING_ENDPOINTS),
        catches=(Fault.HEALTH_CHECK_COUNTS_TERMINATING, Fault.TERMINATING_NOT_USED),
        given=_DRAINED,
        steps=(
            ask("check", dial(health_check("a"), client=pod("b")), Says(503, local_endpoints=0)),
            ask("elsewhere", dial(health_check("b"), client=pod("a")), Says(200, local_endpoints=1)),
            ask("served", dial(load_balancer(), client=external("a")), Answered(on("a"), SeenSource.CLIENT)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=TCP,
        covers=("G14",),
    ),
    Case(
        id="HCN-04",
        promise="The health check port closes when the policy becomes Cluster, and may be asked for again by number.",
        level=Level.MUST,
        sources=(HEALTH_CHECK_NODE_PORT, EXTERNAL_POLICY),
        catches=(Fault.HEALTH_CHECK_STAYS, Fault.HEALTH_CHECK_NOT_SERVED),
        given=_FLIPPED,
        steps=(
            ask("local", dial(health_check("a"), client=pod("b")), Says(200, local_endpoints=1)),
            becomes(_FLIPPED.but(external_policy=Policy.CLUSTER, health_check_port=0)),
            ask("wiped-a", dial(health_check("a", former=True), client=pod("b")), Refused()),
            ask("wiped-b", dial(health_check("b", former=True), client=pod("a")), Refused()),
            becomes(_FLIPPED.but(health_check_port=31)),
            ask("named-a", dial(health_check("a"), client=pod("b")), Says(200, local_endpoints=1)),
            ask("named-b", dial(health_check("b"), client=pod("a")), Says(503, local_endpoints=0)),
        ),
        needs=(nodes(2),),
        across=FAMILIES,
        covers=("G15",),
    ),
    Case(
        id="HCN-05",
        promise="The health check's answer tells Service, local endpoints and the proxy's health, and their weight.",
        level=Level.SHOULD,
        sources=(HEALTH_CHECK_NODE_PORT, HEALTH_CHECK_CODE),
        catches=(Fault.HEALTH_CHECK_INCOMPLETE, Fault.HEALTH_CHECK_WRONG_COUNT),
        given=_PLAIN,
        steps=(
            ask(
                "with",
                dial(health_check("a", whole=True), client=pod("b")),
                Says(200, local_endpoints=1, whole=True),
            ),
            ask(
                "without",
                dial(health_check("b", whole=True), client=pod("b")),
                Says(503, local_endpoints=0, whole=True),
            ),
        ),
        needs=(nodes(2),),
        across=FAMILIES,
        covers=("G17",),
    ),
    Case(
        id="HCN-06",
        promise="The health check's count of local endpoints follows as endpoints come and go.",
        level=Level.MUST,
        sources=(HEALTH_CHECK_NODE_PORT, HEALTH_CHECK_CODE),
        catches=(Fault.HEALTH_CHECK_WRONG_COUNT, Fault.STALE_ENDPOINT),
        given=_SCALED,
        steps=(
            ask("two", dial(health_check("a"), client=pod("b")), Says(200, local_endpoints=2)),
            becomes(_SCALED.but(endpoints=on("a"))),
            ask("one", dial(health_check("a"), client=pod("b")), Says(200, local_endpoints=1)),
            ask("none-yet", dial(health_check("b"), client=pod("b")), Says(503, local_endpoints=0)),
            becomes(_SCALED.but(endpoints=on("b"))),
            ask("moved-away", dial(health_check("a"), client=pod("b")), Says(503, local_endpoints=0)),
            ask("moved-here", dial(health_check("b"), client=pod("b")), Says(200, local_endpoints=1)),
        ),
        needs=(nodes(2),),
        across=FAMILIES,
        covers=("G18",),
    ),
    Case(
        id="HCN-07",
        promise="A node fails the health check once its endpoint is not ready, and passes it when it is again.",
        level=Level.MUST,
        sources=(HEALTH_CHECK_NODE_PORT, READY),
        catches=(Fault.HEALTH_CHECK_WRONG_COUNT, Fault.NOT_READY_CHOSEN),
        given=_SICK,
        steps=(
            ask("ready", dial(health_check("a"), client=pod("a")), Says(200, local_endpoints=1)),
            becomes(_SICK.but(slices=(by_hand(EndpointSpec(WEB_A, ready=False, serving=False)),))),
            ask("not-ready", dial(health_check("a"), client=pod("a")), Says(503, local_endpoints=0)),
            becomes(_SICK),
            ask("ready-again", dial(health_check("a"), client=pod("a")), Says(200, local_endpoints=1)),
        ),
        across=FAMILIES,
        covers=("G18",),
    ),
    Case(
        id="HCN-08",
        promise="In nftables mode health checks are answered at the node's primary addresses only, as node ports are.",
        level=Level.SHOULD,
        sources=(NODE_PORT_ADDRESSES, HEALTH_CHECK_CODE),
        catches=(Fault.HEALTH_CHECK_ON_EVERY_ADDRESS,),
        given=_PLAIN,
        steps=(
            ask("primary", dial(health_check("a"), client=pod("b")), Says(200, local_endpoints=1)),
            ask("secondary", dial(health_check("a", secondary=True), client=pod("b")), Refused()),
        ),
        needs=(nodes(2),),
        across=FAMILIES,
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("G20",),
    ),
    Case(
        id="HCN-09",
        promise="The health check port closes on every node when its Service is deleted.",
        level=Level.MUST,
        sources=(HEALTH_CHECK_NODE_PORT,),
        catches=(Fault.HEALTH_CHECK_STAYS,),
        given=_DELETED,
        steps=(
            ask("there", dial(health_check("a"), client=pod("b")), Says(200, local_endpoints=1)),
            becomes(),
            ask("gone-a", dial(health_check("a"), client=pod("b")), Refused()),
            ask("gone-b", dial(health_check("b"), client=pod("b")), Refused()),
        ),
        needs=(nodes(2),),
        across=FAMILIES,
        covers=("G15",),
    ),
)

MATRICES: tuple[Matrix, ...] = ()
