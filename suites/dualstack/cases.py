"""Dual-stack Services: both families work, each comes and goes without the other, and neither is a second-class one."""

from __future__ import annotations

from conformance.model.addresses import Family, Protocol
from conformance.model.case import (
    Answered,
    Case,
    Level,
    Matrix,
    SeenSource,
    Vantage,
    ask,
    axes,
    becomes,
    cluster_ip,
    dial,
    endpoint,
    external,
    health_check,
    host,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
    vantage,
)
from conformance.model.case.then import Says
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped, Refused
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CONNTRACK_CODE,
    DUAL_STACK_PAGE,
    EXTERNAL_POLICY,
    HEALTH_CHECK_NODE_PORT,
    INTERNAL_POLICY,
    IP_FAMILIES,
    SERVICE_TYPE,
)

NP, LB = ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER
V4, V6 = Family.IPV4, Family.IPV6
LOCAL = Policy.LOCAL
_SMALL, _LARGE = 4_000, 30_000
"""Bytes of more than one packet, and of many, each way."""

_BOTH = service(NP, on("a"), called="dst-01", families=(V4, V6))
_SIX_FIRST = service(NP, on("a", "b"), called="dst-04", families=(V6, V4))
_SECOND = service(NP, on("a"), called="dst-02", families=(V4, V6))
_FIRST = service(NP, on("a"), called="dst-03", families=(V4, V6))
_ONLY_SIX = service(NP, on("a"), called="dst-07", families=(V6,))

CASES = (
    Case(
        id="DST-01",
        promise="A dual-stack Service is served in both families, at its ClusterIPs and node port, over TCP and UDP.",
        level=Level.MUST,
        sources=(IP_FAMILIES, DUAL_STACK_PAGE),
        catches=(Fault.ONE_FAMILY_MISSING, Fault.ONE_PROTOCOL_MISSING),
        given=_BOTH,
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            ask("clusterIP-node", dial(cluster_ip(), client=host("b")), Answered(on("a"), SeenSource.NODE)),
            ask("nodePort", dial(node_port("b"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("nodePort-far", dial(node_port("a"), client=pod("b")), Answered(on("a"))),
            ask("hairpin", dial(cluster_ip(), client=endpoint("a")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        covers=("L02",),
    ),
    Case(
        id="DST-02",
        promise="A family that a living Service gives up is served no more; taken on again, it is served at once.",
        level=Level.MUST,
        sources=(IP_FAMILIES, DUAL_STACK_PAGE),
        catches=(Fault.STALE_FAMILY, Fault.ONE_FAMILY_MISSING),
        given=_SECOND,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            becomes(_SECOND.but(families=(V4,))),
            ask("removed", dial(cluster_ip(former=True), client=pod("b")), Dropped()),
            ask("removed-node", dial(cluster_ip(former=True), client=host("b")), Dropped()),
            ask("removed-nodePort", dial(node_port("b"), client=pod("b")), Refused()),
            becomes(_SECOND),
            ask("added", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask("added-nodePort", dial(node_port("b"), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        across=axes(family=(V6,)),
        covers=("L03",),
    ),
    Case(
        id="DST-03",
        promise="The family that a Service keeps goes on while the other is given up and taken on again.",
        level=Level.MUST,
        sources=(IP_FAMILIES, DUAL_STACK_PAGE, CONNTRACK_CODE),
        catches=(Fault.NO_SERVICE_RULES,),
        given=_FIRST,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            becomes(_FIRST.but(families=(V4,))),
            ask("removed", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            ask("removed-new", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask("removed-nodePort", dial(node_port("b"), client=pod("b")), Answered(on("a"))),
            becomes(_FIRST),
            ask("added", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            ask("added-new", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        across=axes(family=(V4,)),
        covers=("L03",),
    ),
    Case(
        id="DST-04",
        promise="A Service whose first family is IPv6 is served in both families, as one whose first is IPv4.",
        level=Level.MUST,
        sources=(IP_FAMILIES, DUAL_STACK_PAGE),
        catches=(Fault.ONE_FAMILY_MISSING, Fault.ENDPOINT_LEFT_OUT),
        given=_SIX_FIRST,
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=pod("a")), Answered(on("a", "b"), SeenSource.CLIENT)),
            ask("clusterIP-node", dial(cluster_ip(), client=host("b")), Answered(on("a", "b"), SeenSource.NODE)),
            ask("nodePort", dial(node_port("b"), client=pod("b")), Answered(on("a", "b"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        covers=("L06",),
    ),
    Case(
        id="DST-05",
        promise="Policies Local and the healthCheckNodePort hold in the second family as in the first.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, INTERNAL_POLICY, HEALTH_CHECK_NODE_PORT),
        catches=(
            Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE,
            Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE,
            Fault.LOCAL_POLICY_MASQUERADES,
        ),
        given=service(LB, on("a"), internal_policy=LOCAL, external_policy=LOCAL),
        steps=(
            ask("internal", dial(cluster_ip(), client=pod("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("internal-elsewhere", dial(cluster_ip(), client=pod("c")), Dropped()),
            ask("nodePort", dial(node_port("a"), client=external()), Answered(on("a"), SeenSource.CLIENT)),
            ask("nodePort-elsewhere", dial(node_port("c"), client=external()), Dropped()),
            ask("loadBalancer", dial(load_balancer(), client=external("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("loadBalancer-elsewhere", dial(load_balancer(), client=external("c")), Dropped()),
            ask("health", dial(health_check("a"), client=pod("b")), Says(200, local_endpoints=1)),
            ask("health-elsewhere", dial(health_check("c"), client=pod("b")), Says(503, local_endpoints=0)),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        across=axes(protocol=(Protocol.TCP,)),
        covers=("L04",),
    ),
    Case(
        id="DST-06",
        promise="What takes more than one packet passes through a Service unharmed, in both families.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, DUAL_STACK_PAGE),
        catches=(Fault.LARGE_PACKETS_LOST,),
        given=service(NP, on("a")),
        steps=(
            ask("near", dial(cluster_ip(), client=pod("a"), size=_SMALL), Answered(on("a"))),
            ask("far", dial(cluster_ip(), client=pod("b"), size=_SMALL), Answered(on("a"))),
            ask("far-large", dial(cluster_ip(), client=pod("b"), size=_LARGE), Answered(on("a"))),
            ask("node", dial(cluster_ip(), client=host("b"), size=_LARGE), Answered(on("a"))),
            ask("nodePort", dial(node_port("b"), client=pod("b"), size=_LARGE), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("L08",),
    ),
    Case(
        id="DST-07",
        promise="A Service that has IPv6 alone is served at its ClusterIP and node port.",
        level=Level.MUST,
        sources=(IP_FAMILIES, DUAL_STACK_PAGE),
        catches=(Fault.ONE_FAMILY_MISSING,),
        given=_ONLY_SIX,
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            ask("nodePort", dial(node_port("b"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        across=axes(family=(V6,)),
        covers=("L06",),
    ),
    Case(
        id="DST-08",
        promise="The node port of a Service that has IPv6 alone is closed in IPv4.",
        level=Level.SHOULD,
        sources=(IP_FAMILIES, DUAL_STACK_PAGE),
        catches=(Fault.FAMILY_UNASKED_SERVED,),
        given=_ONLY_SIX.but(called="dst-08"),
        when=dial(node_port("b"), client=pod("b")),
        then=Refused(),
        needs=(nodes(2),),
        across=axes(family=(V4,)),
    ),
)

MATRICES: tuple[Matrix, ...] = ()
