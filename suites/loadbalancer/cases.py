"""LoadBalancer: the nodes serve the balancer's address, from inside and from outside."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    Level,
    Matrix,
    SeenSource,
    Vantage,
    cluster_ip,
    dial,
    endpoint,
    external,
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
from conformance.spec.sources import EXTERNAL_POLICY, NFTABLES_CODE, SERVICE_TYPE, SOURCE_IP
from suites.loadbalancer import changes, ranges, status
from suites.variants import variants

LB = ServiceType.LOAD_BALANCER

_BASIC = (
    Case(
        id="LB-01",
        promise="A client outside the cluster reaches every endpoint at the load balancer's address.",
        level=Level.MUST,
        sources=(SERVICE_TYPE,),
        catches=(Fault.LOAD_BALANCER_NOT_SERVED, Fault.NO_MASQUERADE),
        given=service(LB, endpoints=on("a", "b")),
        when=dial(load_balancer(), client=external("c")),
        then=Answered(on("a", "b"), source=SeenSource.NODE),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("D01", "D02", "D04"),
    ),
    Case(
        id="LB-02",
        promise="A pod reaches the endpoints at the load balancer's address.",
        level=Level.MUST,
        sources=(SERVICE_TYPE,),
        catches=(Fault.LOAD_BALANCER_NOT_SERVED,),
        given=service(LB, endpoints=on("a")),
        when=dial(load_balancer(), client=pod("b")),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(2),),
        covers=("D05",),
    ),
    Case(
        id="LB-03",
        promise="With externalTrafficPolicy Local, a pod on a node without endpoints reaches the balancer's address.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(Fault.LOCAL_POLICY_NO_SHORT_CIRCUIT, Fault.ENDPOINTS_MISSED_TOO_EARLY, Fault.PODS_TAKEN_FOR_OUTSIDERS),
        given=service(LB, endpoints=on("a"), external_policy=Policy.LOCAL),
        when=dial(load_balancer(), client=pod("c")),
        then=Answered(on("a"), source=SeenSource.CLIENT),
        needs=(nodes(3),),
        covers=("G06",),
    ),
    Case(
        id="LB-04",
        promise="With externalTrafficPolicy Local, a node without endpoints reaches the balancer's address itself.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(
            Fault.LOCAL_POLICY_NO_SHORT_CIRCUIT,
            Fault.ENDPOINTS_MISSED_TOO_EARLY,
            Fault.LOCAL_POLICY_FORGETS_NODES,
        ),
        given=service(LB, endpoints=on("a"), external_policy=Policy.LOCAL),
        when=dial(load_balancer(), client=host("c")),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(3),),
        covers=("G09",),
    ),
    Case(
        id="LB-05",
        promise="With externalTrafficPolicy Local, the balancer's address keeps the client's address.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, SOURCE_IP),
        catches=(Fault.LOCAL_POLICY_MASQUERADES,),
        given=service(LB, endpoints=on("a"), external_policy=Policy.LOCAL),
        when=dial(load_balancer(), client=external("a")),
        then=Answered(on("a"), source=SeenSource.CLIENT),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
    ),
    Case(
        id="LB-06",
        promise="With externalTrafficPolicy Local, a node without endpoints drops traffic to the balancer's address.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_REFUSES),
        given=service(LB, endpoints=on("a"), external_policy=Policy.LOCAL),
        when=dial(load_balancer(), client=external("c")),
        then=Dropped(),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("G03",),
    ),
    Case(
        id="LB-07",
        promise="The balancer's address of a Service without endpoints is refused.",
        level=Level.SHOULD,
        sources=(SERVICE_TYPE, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(LB, endpoints=on()),
        when=dial(load_balancer(), client=external("a")),
        then=Refused(RefusedBy.ICMP),
        needs=(vantage(Vantage.EXTERNAL),),
    ),
    Case(
        id="LB-08",
        promise="An endpoint reaches itself at the balancer's address of its own Service.",
        level=Level.MUST,
        sources=(SERVICE_TYPE,),
        catches=(Fault.NO_HAIRPIN,),
        given=service(LB, endpoints=on("a")),
        when=dial(load_balancer(), client=endpoint("a")),
        then=Answered(on("a"), source=SeenSource.NODE),
    ),
)

CASES = (*_BASIC, *status.CASES, *changes.CASES, *ranges.CASES)

_BOTH = (Policy.CLUSTER, Policy.LOCAL)

MATRICES = (
    Matrix(
        id="LBM",
        promise="Every client gets at the balancer's address what policies, affinity and endpoints promise.",
        services=variants(LB, external=_BOTH),
        destinations=(load_balancer(), node_port("c")),
        sources=(SERVICE_TYPE,),
        covers=("D05", "D06", "D18", "D24"),
    ),
    Matrix(
        id="LBL",
        promise="Internal and external traffic policy of one Service do not leak into each other.",
        services=variants(LB, internal=(Policy.LOCAL,), external=_BOTH, affinity=(False,)),
        destinations=(cluster_ip(), load_balancer(), node_port("b")),
        sources=(EXTERNAL_POLICY,),
    ),
)
