"""externalTrafficPolicy: Cluster forwards everywhere and masquerades; Local keeps the client's address or drops."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    Level,
    SeenSource,
    Vantage,
    cluster_ip,
    dial,
    external,
    host,
    node_port,
    nodes,
    on,
    on_host,
    pod,
    service,
    vantage,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped, Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import EXTERNAL_POLICY, NFTABLES_CODE, NFTABLES_KEP, SOURCE_IP
from suites.external_policy import local

NP = ServiceType.NODE_PORT

_BASIC = (
    Case(
        id="ETP-01",
        promise="With externalTrafficPolicy Cluster, the endpoint sees a node's address, not the client's.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, SOURCE_IP),
        catches=(Fault.NO_MASQUERADE,),
        given=service(NP, endpoints=on("a")),
        when=dial(node_port("b"), client=external()),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
    ),
    Case(
        id="ETP-02",
        promise="With externalTrafficPolicy Local, the endpoint sees the address of the client outside the cluster.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, SOURCE_IP),
        catches=(Fault.LOCAL_POLICY_MASQUERADES,),
        given=service(NP, endpoints=on("a"), external_policy=Policy.LOCAL),
        when=dial(node_port("a"), client=external()),
        then=Answered(on("a"), source=SeenSource.CLIENT),
        needs=(vantage(Vantage.EXTERNAL),),
        covers=("G01", "G05"),
    ),
    Case(
        id="ETP-03",
        promise="With externalTrafficPolicy Local, a node without a local endpoint drops external traffic.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, NFTABLES_KEP),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_REFUSES),
        given=service(NP, endpoints=on("a"), external_policy=Policy.LOCAL),
        when=dial(node_port("b"), client=external()),
        then=Dropped(),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("G02", "G03"),
    ),
    Case(
        id="ETP-04",
        promise="With externalTrafficPolicy Local, external traffic is forwarded to local endpoints only.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY,),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE,),
        given=service(NP, endpoints=on("a", "b"), external_policy=Policy.LOCAL),
        when=dial(node_port("a"), client=external()),
        then=Answered(on("a"), source=SeenSource.CLIENT),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
    ),
    Case(
        id="ETP-05",
        promise="With externalTrafficPolicy Local, a pod on a node without endpoints is served at that node's port.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(Fault.LOCAL_POLICY_NO_SHORT_CIRCUIT, Fault.ENDPOINTS_MISSED_TOO_EARLY, Fault.PODS_TAKEN_FOR_OUTSIDERS),
        given=service(NP, endpoints=on("a"), external_policy=Policy.LOCAL),
        when=dial(node_port("b"), client=pod("b")),
        then=Answered(on("a"), source=SeenSource.CLIENT),
        needs=(nodes(2),),
        covers=("G07",),
    ),
    Case(
        id="ETP-06",
        promise="With externalTrafficPolicy Local, a node without endpoints is served at its own node port.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(
            Fault.LOCAL_POLICY_NO_SHORT_CIRCUIT,
            Fault.ENDPOINTS_MISSED_TOO_EARLY,
            Fault.LOCAL_POLICY_FORGETS_NODES,
        ),
        given=service(NP, endpoints=on("a"), external_policy=Policy.LOCAL),
        when=dial(node_port("b"), client=host("b")),
        then=Answered(on("a"), source=SeenSource.NODE),
        needs=(nodes(2),),
        covers=("G08",),
    ),
    Case(
        id="ETP-07",
        promise="With externalTrafficPolicy Local, the ClusterIP still reaches endpoints on every node.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY,),
        catches=(Fault.ENDPOINT_LEFT_OUT,),
        given=service(NP, endpoints=on("a", "b"), external_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=pod("a")),
        then=Answered(on("a", "b"), source=SeenSource.CLIENT),
        needs=(nodes(2),),
    ),
    Case(
        id="ETP-08",
        promise="With externalTrafficPolicy Local and no endpoint anywhere, external traffic is refused.",
        level=Level.SHOULD,
        sources=(EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS,),
        given=service(NP, endpoints=on(), external_policy=Policy.LOCAL),
        when=dial(node_port("a"), client=external()),
        then=Refused(RefusedBy.ICMP),
        needs=(vantage(Vantage.EXTERNAL),),
        covers=("G04",),
    ),
    Case(
        id="ETP-09",
        promise="With externalTrafficPolicy Local, a host-network endpoint sees the address of the client outside.",
        level=Level.MUST,
        sources=(EXTERNAL_POLICY, SOURCE_IP),
        catches=(Fault.NODE_PORT_NOT_SERVED,),
        given=service(NP, endpoints=on_host("b"), external_policy=Policy.LOCAL),
        when=dial(node_port("b"), client=external()),
        then=Answered(on_host("b"), source=SeenSource.CLIENT),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
    ),
)

CASES = (*_BASIC, *local.CASES)

MATRICES = ()
