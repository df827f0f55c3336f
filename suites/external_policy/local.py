"""externalTrafficPolicy Local at every kind of external address, as it changes, and with endpoints that end."""

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
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped, Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CONNTRACK_CODE,
    EXTERNAL_POLICY,
    HINTS,
    NFTABLES_CODE,
    NFTABLES_KEP,
    SOURCE_IP,
    TERMINATING_ENDPOINTS,
    TOPOLOGY_CODE,
)

NP, LB, LOCAL = ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER, Policy.LOCAL
VIP = (IngressSpec(),)
SCTP = axes(protocol=(Protocol.SCTP,))
(WEB_A,), (WEB_B,) = on("a"), on("b")
ENDED_A = EndpointSpec(WEB_A, ready=False, serving=False, terminating=True)

_SCTP = service(
    LB,
    endpoints=on("a", breed=Breed.RAW),
    ports=(PortSpec("sctp", Protocol.SCTP),),
    external_policy=LOCAL,
    external_ip=True,
    ingress=VIP,
    called="etp-10",
)
_EVERYWHERE = service(
    LB, endpoints=on("a"), external_policy=LOCAL, external_ip=True, ingress=VIP, called="etp-everywhere"
)
_NOWHERE = service(LB, endpoints=on(), external_policy=LOCAL, external_ip=True, ingress=VIP, called="etp-13")
_FLIPPED = service(LB, endpoints=on("a"), ingress=VIP, called="etp-15")
_DRAINED = service(
    NP,
    external_policy=LOCAL,
    slices=(by_hand(draining(WEB_A), EndpointSpec(WEB_B, ready=True)),),
    called="etp-16",
)
_ENDED = service(
    NP,
    external_policy=LOCAL,
    slices=(
        by_hand(EndpointSpec(WEB_A, ready=False, serving=False, terminating=True), EndpointSpec(WEB_B, ready=True)),
    ),
    called="etp-17",
)
_HINTED = service(
    NP,
    external_policy=LOCAL,
    slices=(by_hand(EndpointSpec(WEB_A, ready=True, hint_nodes=("b",)), EndpointSpec(WEB_B, hint_nodes=("a",))),),
    called="etp-18",
)

CASES = (
    Case(
        id="ETP-10",
        promise="With externalTrafficPolicy Local, SCTP keeps the client's address at every kind of external address.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, SOURCE_IP),
        catches=(Fault.LOCAL_POLICY_MASQUERADES, Fault.ONE_PROTOCOL_MISSING),
        given=_SCTP,
        steps=(
            ask("node-port", dial(node_port("a"), client=external()), Answered(_SCTP.endpoints, SeenSource.CLIENT)),
            ask("balancer", dial(load_balancer(), client=external("a")), Answered(_SCTP.endpoints, SeenSource.CLIENT)),
            ask("external-ip", dial(external_ip(), client=external("a")), Answered(_SCTP.endpoints, SeenSource.CLIENT)),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        across=SCTP,
        covers=("G05",),
    ),
    Case(
        id="ETP-11",
        promise="With externalTrafficPolicy Local, a node without a local endpoint drops SCTP from outside.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, NFTABLES_KEP),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_REFUSES),
        given=_SCTP,
        steps=(
            ask("node-port", dial(node_port("b"), client=external()), Dropped()),
            ask("balancer", dial(load_balancer(), client=external("c")), Dropped()),
            ask("external-ip", dial(external_ip(), client=external("c")), Dropped()),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        across=SCTP,
        covers=("G03",),
    ),
    Case(
        id="ETP-12",
        promise="With externalTrafficPolicy Local, node port, balancer's address and external IP all drop.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, NFTABLES_KEP),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_REFUSES),
        given=_EVERYWHERE,
        steps=(
            ask("node-port", dial(node_port("c"), client=external()), Dropped()),
            ask("balancer", dial(load_balancer(), client=external("c")), Dropped()),
            ask("external-ip", dial(external_ip(), client=external("c")), Dropped()),
            ask("cluster-ip", dial(cluster_ip(), client=pod("c")), Answered(on("a"), SeenSource.CLIENT)),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("G03",),
    ),
    Case(
        id="ETP-13",
        promise="With externalTrafficPolicy Local and no endpoint anywhere, every kind of external address refuses.",
        level=Level.SHOULD,
        sources=(EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=_NOWHERE,
        steps=(
            ask("node-port", dial(node_port("a"), client=external()), Refused(RefusedBy.ICMP)),
            ask("balancer", dial(load_balancer(), client=external()), Refused(RefusedBy.ICMP)),
            ask("external-ip", dial(external_ip(), client=external()), Refused(RefusedBy.ICMP)),
            ask("pod", dial(load_balancer(), client=pod("a")), Refused(RefusedBy.ICMP)),
        ),
        needs=(vantage(Vantage.EXTERNAL),),
        covers=("G04",),
    ),
    Case(
        id="ETP-14",
        promise="With externalTrafficPolicy Local, another node's node port serves by that node's endpoints only.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, SOURCE_IP),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_MASQUERADES),
        given=(
            service(NP, endpoints=on("a"), external_policy=LOCAL),
            service(NP, endpoints=on("b"), external_policy=LOCAL),
            service(NP, endpoints=on("a", "b"), external_policy=LOCAL),
        ),
        steps=(
            ask("pod", dial(node_port("b", of="np-etpl-web-b"), client=pod("a")), Answered(on("b"))),
            ask(
                "node",
                dial(node_port("b", of="np-etpl-web-a-web-b"), client=host("a")),
                Answered(on("b"), SeenSource.CLIENT),
            ),
            ask("node-dropped", dial(node_port("b", of="np-etpl-web-a"), client=host("a")), Dropped()),
        ),
        needs=(nodes(2),),
        covers=("G10",),
    ),
    Case(
        id="ETP-15",
        promise="externalTrafficPolicy may change at any time: new connections follow it, established ones live on.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, NFTABLES_CODE, CONNTRACK_CODE),
        catches=(Fault.POLICY_CHANGE_NOT_FOLLOWED, Fault.FLOW_BROKEN),
        given=_FLIPPED,
        steps=(
            ask("held", dial(node_port("c"), client=external("c"), flow="held"), Answered(on("a"), SeenSource.NODE)),
            ask("held-vip", dial(load_balancer(), client=external("c"), flow="vip"), Answered(on("a"))),
            becomes(_FLIPPED.but(external_policy=LOCAL)),
            ask("held-on", dial(node_port("c"), client=external("c"), flow="held"), Answered(on("a"))),
            ask("held-vip-on", dial(load_balancer(), client=external("c"), flow="vip"), Answered(on("a"))),
            ask("new", dial(node_port("c"), client=external("c")), Dropped()),
            ask("new-vip", dial(load_balancer(), client=external("c")), Dropped()),
            ask("kept", dial(node_port("a"), client=external("a")), Answered(on("a"), SeenSource.CLIENT)),
            becomes(_FLIPPED),
            ask("back", dial(node_port("c"), client=external("c")), Answered(on("a"), SeenSource.NODE)),
            ask("back-vip", dial(load_balancer(), client=external("c")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("G11", "G12"),
    ),
    Case(
        id="ETP-16",
        promise="With externalTrafficPolicy Local, a node without ready endpoints uses its terminating ones.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, TERMINATING_ENDPOINTS),
        catches=(Fault.TERMINATING_NOT_USED, Fault.LOCAL_POLICY_MASQUERADES),
        given=_DRAINED,
        steps=(
            ask("falls-back", dial(node_port("a"), client=external()), Answered(on("a"), SeenSource.CLIENT)),
            ask("ready", dial(node_port("b"), client=external()), Answered(on("b"), SeenSource.CLIENT)),
            ask("pod", dial(node_port("a"), client=pod("a")), Answered(on("b"), SeenSource.CLIENT)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("G13",),
    ),
    Case(
        id="ETP-17",
        promise="With externalTrafficPolicy Local, a node whose endpoints have ceased to serve drops.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, TERMINATING_ENDPOINTS),
        catches=(Fault.NOT_READY_CHOSEN, Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE),
        given=_ENDED,
        steps=(
            ask("ended", dial(node_port("a"), client=external()), Dropped()),
            ask("ready", dial(node_port("b"), client=external()), Answered(on("b"), SeenSource.CLIENT)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("G13",),
    ),
    Case(
        id="ETP-18",
        promise="With externalTrafficPolicy Local, a node serves by its own endpoints, whatever topology hints say.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, HINTS, TOPOLOGY_CODE),
        catches=(Fault.LOCAL_POLICY_HEEDS_HINTS,),
        given=_HINTED,
        steps=(
            ask("local", dial(node_port("a"), client=external()), Answered(on("a"), SeenSource.CLIENT)),
            ask("local-b", dial(node_port("b"), client=external()), Answered(on("b"), SeenSource.CLIENT)),
            ask("hinted", dial(cluster_ip(), client=pod("a")), Answered(on("b"), SeenSource.CLIENT)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("G22",),
    ),
)
