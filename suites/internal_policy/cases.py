"""internalTrafficPolicy: Local means this node's endpoints or nothing."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Breed,
    Case,
    EndpointSpec,
    Level,
    Matrix,
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
    host,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
    vantage,
    zones,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped, Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CONNTRACK_CODE,
    EXTERNAL_POLICY,
    INTERNAL_POLICY,
    INTERNAL_POLICY_KEP,
    TERMINATING_ENDPOINTS,
    TOPOLOGY_CODE,
)

LB = ServiceType.LOAD_BALANCER
LOCAL = Policy.LOCAL
_A, _B = on("a", "b")
_RAW = on("a", breed=Breed.RAW)

_FLIPPED = service(endpoints=on("a"), called="itp-09")
_DRAINING = service(
    called="itp-10",
    internal_policy=LOCAL,
    slices=(by_hand(draining(_A), draining(_B)),),
)
_ONE_DRAINING = service(
    called="itp-11",
    internal_policy=LOCAL,
    slices=(by_hand(draining(_A), EndpointSpec(_B)),),
)
_HINTED = service(
    called="itp-12",
    internal_policy=LOCAL,
    traffic_distribution="PreferClose",
    slices=(
        by_hand(
            EndpointSpec(_A, hint_zones=("b",), hint_nodes=("b",)),
            EndpointSpec(_B, hint_zones=("a",), hint_nodes=("a",)),
        ),
    ),
)

CASES = (
    Case(
        id="ITP-01",
        promise="With internalTrafficPolicy Local, a pod reaches only the endpoints on its own node.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, INTERNAL_POLICY_KEP),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE,),
        given=service(endpoints=on("a", "b"), internal_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=pod("a")),
        then=Answered(on("a"), source=SeenSource.CLIENT),
        needs=(nodes(2),),
        covers=("I01", "I04"),
    ),
    Case(
        id="ITP-02",
        promise="With internalTrafficPolicy Local, a pod on a node without endpoints gets no answer and no refusal.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, INTERNAL_POLICY_KEP),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_REFUSES),
        given=service(endpoints=on("a"), internal_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=pod("b")),
        then=Dropped(),
        needs=(nodes(2),),
        covers=("I02", "I03", "I04"),
    ),
    Case(
        id="ITP-03",
        promise="With internalTrafficPolicy Local, a node's own process reaches only that node's endpoints.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY,),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE,),
        given=service(endpoints=on("a", "b"), internal_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=host("b")),
        then=Answered(on("b"), source=SeenSource.NODE),
        needs=(nodes(2),),
        covers=("I01", "I04"),
    ),
    Case(
        id="ITP-04",
        promise="With internalTrafficPolicy Local and no endpoint anywhere, a client is refused.",
        level=Level.SHOULD,
        sources=(INTERNAL_POLICY, INTERNAL_POLICY_KEP),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(endpoints=on(), internal_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=pod("a")),
        then=Refused(RefusedBy.ICMP),
        covers=("I03",),
    ),
    Case(
        id="ITP-05",
        promise="With internalTrafficPolicy Local, a node without endpoints gets no answer and no refusal itself.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, INTERNAL_POLICY_KEP),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_REFUSES),
        given=service(endpoints=on("a"), internal_policy=LOCAL),
        when=dial(cluster_ip(), client=host("b")),
        then=Dropped(),
        needs=(nodes(2),),
        covers=("I02", "I03"),
    ),
    Case(
        id="ITP-06",
        promise="With internalTrafficPolicy Local, SCTP reaches only the endpoints on the client's own node.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, INTERNAL_POLICY_KEP),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE, Fault.ONE_PROTOCOL_MISSING),
        given=service(endpoints=_RAW, internal_policy=LOCAL, called="itp-06", ports=(PortSpec("sctp", Protocol.SCTP),)),
        steps=(
            ask("here", dial(cluster_ip(), client=pod("a")), Answered(_RAW, SeenSource.CLIENT)),
            ask("here-node", dial(cluster_ip(), client=host("a")), Answered(_RAW, SeenSource.NODE)),
            ask("elsewhere", dial(cluster_ip(), client=pod("b")), Dropped()),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(Protocol.SCTP,)),
        covers=("I05",),
    ),
    Case(
        id="ITP-07",
        promise="internalTrafficPolicy Local governs the ClusterIP alone: other addresses follow policy Cluster.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, EXTERNAL_POLICY),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE, Fault.NO_MASQUERADE),
        given=service(LB, on("a"), internal_policy=LOCAL),
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=pod("b")), Dropped()),
            ask("nodePort", dial(node_port("b"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("loadBalancer", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("outside", dial(load_balancer(), client=external("c")), Answered(on("a"), SeenSource.NODE)),
            ask("outside-nodePort", dial(node_port("c"), client=external()), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("I06",),
    ),
    Case(
        id="ITP-08",
        promise="With both policies Local, the ClusterIP drops everybody elsewhere, other addresses only outsiders.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, EXTERNAL_POLICY),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_NO_SHORT_CIRCUIT),
        given=service(LB, on("a"), internal_policy=LOCAL, external_policy=LOCAL),
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=pod("b")), Dropped()),
            ask("nodePort", dial(node_port("b"), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            ask("loadBalancer", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            ask("outside", dial(load_balancer(), client=external("c")), Dropped()),
            ask("outside-here", dial(load_balancer(), client=external("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("outside-nodePort", dial(node_port("c"), client=external()), Dropped()),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("I06",),
    ),
    Case(
        id="ITP-09",
        promise="internalTrafficPolicy may be changed at any time: new flows follow it, established ones live on.",
        level=Level.SHOULD,
        sources=(INTERNAL_POLICY, CONNTRACK_CODE),
        catches=(Fault.FLOW_BROKEN, Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE),
        given=_FLIPPED,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="pod"), Answered(on("a"))),
            ask("before-node", dial(cluster_ip(), client=host("b"), flow="node"), Answered(on("a"))),
            becomes(_FLIPPED.but(internal_policy=LOCAL)),
            ask("local", dial(cluster_ip(), client=pod("b"), flow="pod"), Answered(on("a"))),
            ask("local-node", dial(cluster_ip(), client=host("b"), flow="node"), Answered(on("a"))),
            ask("local-new", dial(cluster_ip(), client=pod("b")), Dropped()),
            becomes(_FLIPPED),
            ask("cluster", dial(cluster_ip(), client=pod("b"), flow="pod"), Answered(on("a"))),
            ask("cluster-node", dial(cluster_ip(), client=host("b"), flow="node"), Answered(on("a"))),
            ask("cluster-new", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("I07",),
    ),
    Case(
        id="ITP-10",
        promise="With internalTrafficPolicy Local and no ready endpoint, a node's own terminating endpoints serve it.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, TERMINATING_ENDPOINTS),
        catches=(Fault.TERMINATING_NOT_USED, Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE),
        given=_DRAINING,
        steps=(
            ask("pod-a", dial(cluster_ip(), client=pod("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("node-b", dial(cluster_ip(), client=host("b")), Answered(on("b"), SeenSource.NODE)),
            ask("pod-c", dial(cluster_ip(), client=pod("c")), Dropped()),
        ),
        needs=(nodes(3),),
        covers=("I08",),
    ),
    Case(
        id="ITP-11",
        promise="With internalTrafficPolicy Local, a node's terminating endpoint is preferred to ready ones elsewhere.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, TERMINATING_ENDPOINTS, TOPOLOGY_CODE),
        catches=(Fault.LOCAL_TERMINATING_NOT_USED, Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE),
        given=_ONE_DRAINING,
        steps=(
            ask("pod-a", dial(cluster_ip(), client=pod("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("node-a", dial(cluster_ip(), client=host("a")), Answered(on("a"), SeenSource.NODE)),
            ask("pod-b", dial(cluster_ip(), client=pod("b")), Answered(on("b"), SeenSource.CLIENT)),
            ask("pod-c", dial(cluster_ip(), client=pod("c")), Dropped()),
        ),
        needs=(nodes(3),),
        covers=("I09",),
    ),
    Case(
        id="ITP-12",
        promise="internalTrafficPolicy Local goes before topology: hints that send a node's clients away do not count.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, TOPOLOGY_CODE),
        catches=(Fault.LOCAL_POLICY_HEEDS_HINTS, Fault.HINTS_IGNORED),
        given=(_HINTED, _HINTED.but(called="itp-12-cluster", internal_policy=Policy.CLUSTER)),
        steps=(
            ask("local", dial(cluster_ip("itp-12"), client=pod("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("local-node", dial(cluster_ip("itp-12"), client=host("b")), Answered(on("b"), SeenSource.NODE)),
            # The same hints do count where the policy is Cluster, so that they are not just unreadable.
            ask("cluster", dial(cluster_ip("itp-12-cluster"), client=pod("a")), Answered(on("b"), SeenSource.CLIENT)),
        ),
        needs=(nodes(2), zones(2)),
        covers=("I10",),
    ),
    Case(
        id="ITP-13",
        promise="externalTrafficPolicy Local leaves the ClusterIP alone, which follows policy Cluster.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, EXTERNAL_POLICY),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_TAKES_CLUSTER_IP),
        given=service(LB, on("a"), external_policy=LOCAL),
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=pod("c")), Answered(on("a"), SeenSource.CLIENT)),
            ask("clusterIP-node", dial(cluster_ip(), client=host("c")), Answered(on("a"), SeenSource.NODE)),
            ask("outside", dial(load_balancer(), client=external("c")), Dropped()),
            ask("outside-nodePort", dial(node_port("c"), client=external()), Dropped()),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("I06",),
    ),
)

MATRICES: tuple[Matrix, ...] = ()
