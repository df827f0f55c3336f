"""UDP flows that have to follow: their endpoint, or the Service itself, is not there any more, or not yet."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Breed,
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
    external,
    external_ip,
    fleet,
    host,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
    vantage,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped, Refused, RefusedBy
from conformance.model.surroundings import FLEET_PORT
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CLUSTER_IP,
    CONDITIONS,
    CONNTRACK_CODE,
    EXTERNAL_IPS,
    INTERNAL_POLICY,
    NODE_PORT,
    SERVICE_PAGE,
    TARGET_PORT,
    VIRTUAL_IPS,
)

UDP = axes(protocol=(Protocol.UDP,))
_BY_NAME = (PortSpec("udp", Protocol.UDP, target="udp"),)
(_A,) = on("a")
_FIRST, _SECOND = fleet("a", 2)
_NODE = SeenSource.NODE

_MOVING = service(endpoints=on("a"), called="ctk-01")
_BALANCED = service(ServiceType.LOAD_BALANCER, on("a"), called="ctk-02", ingress=(IngressSpec(),))
_OUTER = service(endpoints=on("a"), called="ctk-03", external_ip=True)
_EMPTIED = service(endpoints=on("a"), called="ctk-04")
_DELETED = service(endpoints=on("a"), called="ctk-05")
_LATE = service(endpoints=on("a"), called="ctk-06")
_UNREADY = service(called="ctk-07", slices=(by_hand(EndpointSpec(_A, ready=False)),))
_AT_NODES = service(ServiceType.NODE_PORT, on("a"), called="ctk-10")
_LOCAL = service(endpoints=on("a"), called="ctk-11", internal_policy=Policy.LOCAL, ports=_BY_NAME)
_RETARGETED = service(
    called="ctk-12",
    ports=(PortSpec("udp", Protocol.UDP, target=FLEET_PORT + 1),),
    slices=(by_hand(EndpointSpec(_FIRST)),),
)

FOLLOWING = (
    Case(
        id="CTK-01",
        promise="A UDP flow with a fixed source port follows when its endpoint is replaced by another.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT, Fault.STALE_FLOWS),
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
        id="CTK-02",
        promise="A UDP flow to the load balancer's address follows when its endpoint is replaced by another.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT, Fault.STALE_FLOWS),
        given=_BALANCED,
        steps=(
            ask("before", dial(load_balancer(), client=external("a"), flow="outside"), Answered(on("a"), _NODE)),
            ask("before-pod", dial(load_balancer(), client=pod("b"), flow="pod"), Answered(on("a"), _NODE)),
            becomes(_BALANCED.but(endpoints=on("b"))),
            ask("after", dial(load_balancer(), client=external("a"), flow="outside"), Answered(on("b"), _NODE)),
            ask("after-pod", dial(load_balancer(), client=pod("b"), flow="pod"), Answered(on("b"), _NODE)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=UDP,
        covers=("K02",),
    ),
    Case(
        id="CTK-03",
        promise="A UDP flow to an external IP follows when its endpoint is replaced by another, in either family.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, EXTERNAL_IPS, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT, Fault.STALE_FLOWS),
        given=_OUTER,
        steps=(
            ask("before", dial(external_ip(), client=external("a"), flow="outside"), Answered(on("a"), _NODE)),
            ask("before-pod", dial(external_ip(), client=pod("b"), flow="pod"), Answered(on("a"), _NODE)),
            ask("before-node", dial(external_ip(), client=host("b"), flow="node"), Answered(on("a"), _NODE)),
            becomes(_OUTER.but(endpoints=on("b"))),
            ask("after", dial(external_ip(), client=external("a"), flow="outside"), Answered(on("b"), _NODE)),
            ask("after-pod", dial(external_ip(), client=pod("b"), flow="pod"), Answered(on("b"), _NODE)),
            ask("after-node", dial(external_ip(), client=host("b"), flow="node"), Answered(on("b"), _NODE)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=UDP,
        covers=("K03",),
    ),
    Case(
        id="CTK-04",
        promise="A UDP flow is refused once its Service has no endpoint any more.",
        level=Level.MUST,
        sources=(VIRTUAL_IPS, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT, Fault.STALE_FLOWS),
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
        id="CTK-05",
        promise="A UDP flow does not reach its endpoint any more once the Service is deleted.",
        level=Level.MUST,
        sources=(CLUSTER_IP, CONNTRACK_CODE),
        catches=(Fault.STALE_FLOWS, Fault.STALE_SERVICE),
        given=_DELETED,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="udp"), Answered(on("a"))),
            becomes(),
            ask("after", dial(cluster_ip(former=True), client=pod("b"), flow="udp"), Dropped()),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("K05",),
    ),
    Case(
        id="CTK-06",
        promise="A UDP flow that began before its Service existed is served once it does.",
        level=Level.MUST,
        sources=(CLUSTER_IP, CONNTRACK_CODE),
        catches=(Fault.EARLY_FLOWS_STAY, Fault.NO_SERVICE_RULES),
        given=_LATE,
        steps=(
            becomes(),
            ask("before", dial(cluster_ip(former=True), client=pod("b"), flow="pod"), Dropped()),
            ask("before-node", dial(cluster_ip(former=True), client=host("b"), flow="node"), Dropped()),
            becomes(_LATE.but(reuses="ctk-06")),
            ask("after", dial(cluster_ip(), client=pod("b"), flow="pod"), Answered(on("a"))),
            ask("after-node", dial(cluster_ip(), client=host("b"), flow="node"), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("K06",),
    ),
    Case(
        id="CTK-07",
        promise="A UDP flow that was refused because no endpoint was ready is served once one is.",
        level=Level.MUST,
        sources=(CONDITIONS, CONNTRACK_CODE),
        catches=(Fault.EARLY_FLOWS_STAY, Fault.NOT_READY_CHOSEN),
        given=_UNREADY,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="pod"), Refused(RefusedBy.ICMP)),
            ask("before-node", dial(cluster_ip(), client=host("b"), flow="node"), Refused(RefusedBy.ICMP)),
            becomes(_UNREADY.but(slices=(by_hand(EndpointSpec(_A, ready=True)),))),
            ask("after", dial(cluster_ip(), client=pod("b"), flow="pod"), Answered(on("a"))),
            ask("after-node", dial(cluster_ip(), client=host("b"), flow="node"), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("K07",),
    ),
    Case(
        id="CTK-10",
        promise="UDP flows to node ports, and of nodes themselves, follow when their endpoint is replaced by another.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, NODE_PORT, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT, Fault.STALE_FLOWS),
        given=_AT_NODES,
        steps=(
            ask("before", dial(node_port("b"), client=pod("b"), flow="near"), Answered(on("a"), _NODE)),
            ask("before-far", dial(node_port("a"), client=pod("b"), flow="far"), Answered(on("a"))),
            ask("before-node", dial(node_port("b"), client=host("b"), flow="node"), Answered(on("a"), _NODE)),
            ask("before-node-cluster", dial(cluster_ip(), client=host("b"), flow="cip"), Answered(on("a"), _NODE)),
            becomes(_AT_NODES.but(endpoints=on("b"))),
            ask("after", dial(node_port("b"), client=pod("b"), flow="near"), Answered(on("b"), _NODE)),
            ask("after-far", dial(node_port("a"), client=pod("b"), flow="far"), Answered(on("b"))),
            ask("after-node", dial(node_port("b"), client=host("b"), flow="node"), Answered(on("b"), _NODE)),
            ask("after-node-cluster", dial(cluster_ip(), client=host("b"), flow="cip"), Answered(on("b"), _NODE)),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("K01",),
    ),
    Case(
        id="CTK-11",
        promise="With internalTrafficPolicy Local, a UDP flow follows when its endpoint is replaced on the same node.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, INTERNAL_POLICY, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT, Fault.STALE_FLOWS),
        given=_LOCAL,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("a"), flow="pod"), Answered(on("a"))),
            ask("before-node", dial(cluster_ip(), client=host("a"), flow="node"), Answered(on("a"))),
            becomes(_LOCAL.but(endpoints=on("a", breed=Breed.ALT))),
            ask("after", dial(cluster_ip(), client=pod("a"), flow="pod"), Answered(on("a", breed=Breed.ALT))),
            ask("after-node", dial(cluster_ip(), client=host("a"), flow="node"), Answered(on("a", breed=Breed.ALT))),
        ),
        across=UDP,
        covers=("K01",),
    ),
    Case(
        id="CTK-12",
        promise="A UDP flow follows when the Service's target port becomes another of the same pod.",
        level=Level.MUST,
        sources=(TARGET_PORT, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT, Fault.STALE_FLOWS),
        given=_RETARGETED,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="udp"), Answered((_FIRST,))),
            becomes(
                _RETARGETED.but(
                    ports=(PortSpec("udp", Protocol.UDP, target=FLEET_PORT + 2),),
                    slices=(by_hand(EndpointSpec(_SECOND)),),
                )
            ),
            ask("after", dial(cluster_ip(), client=pod("b"), flow="udp"), Answered((_SECOND,))),
        ),
        needs=(nodes(2),),
        across=UDP,
        covers=("K08",),
    ),
)
