"""externalIPs: nodes accept traffic for addresses that are routed to them."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    Level,
    Matrix,
    SeenSource,
    Vantage,
    dial,
    external,
    external_ip,
    host,
    nodes,
    on,
    pod,
    service,
    vantage,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped
from conformance.spec.faults import Fault
from conformance.spec.sources import EXTERNAL_IPS, EXTERNAL_POLICY, NFTABLES_CODE
from suites.externalips import sharing
from suites.variants import variants

_BASIC = (
    Case(
        id="EIP-01",
        promise="A client outside the cluster reaches every endpoint at an external IP that is routed to a node.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS,),
        catches=(Fault.EXTERNAL_IP_NOT_SERVED, Fault.NO_MASQUERADE),
        given=service(endpoints=on("a", "b"), external_ip=True),
        when=dial(external_ip(), client=external("c")),
        then=Answered(on("a", "b"), source=SeenSource.NODE),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("C04",),
    ),
    Case(
        id="EIP-02",
        promise="A pod reaches the endpoints at an external IP.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS,),
        catches=(Fault.EXTERNAL_IP_NOT_SERVED,),
        given=service(endpoints=on("a"), external_ip=True),
        when=dial(external_ip(), client=pod("b")),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(2),),
        covers=("C01", "C02"),
    ),
    Case(
        id="EIP-03",
        promise="A node's own process reaches the endpoints at an external IP.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS,),
        catches=(Fault.EXTERNAL_IP_NOT_SERVED,),
        given=service(endpoints=on("a"), external_ip=True),
        when=dial(external_ip(), client=host("c")),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(3),),
        covers=("C03",),
    ),
    Case(
        id="EIP-04",
        promise="With externalTrafficPolicy Local, an external IP keeps the address of the client outside the cluster.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS, EXTERNAL_POLICY),
        catches=(Fault.LOCAL_POLICY_MASQUERADES,),
        given=service(endpoints=on("a"), external_ip=True, external_policy=Policy.LOCAL),
        when=dial(external_ip(), client=external("a")),
        then=Answered(on("a"), source=SeenSource.CLIENT),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("C09",),
    ),
    Case(
        id="EIP-05",
        promise="With externalTrafficPolicy Local, a node without a local endpoint drops what comes to an external IP.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS, EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_REFUSES),
        given=service(endpoints=on("a"), external_ip=True, external_policy=Policy.LOCAL),
        when=dial(external_ip(), client=external("c")),
        then=Dropped(),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("C09", "G03"),
    ),
)

CASES = (*_BASIC, *sharing.CASES)

MATRICES = (
    Matrix(
        id="EIPM",
        promise="Every client gets at an external IP what the Service's policies, affinity and endpoints promise.",
        services=variants(ServiceType.CLUSTER_IP, external=(Policy.CLUSTER, Policy.LOCAL), external_ip=True),
        destinations=(external_ip(),),
        sources=(EXTERNAL_IPS,),
        covers=("C01", "C02", "C03", "C04", "C09"),
    ),
)
