"""sessionAffinity ClientIP: one client, one endpoint."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    Level,
    SeenSource,
    cluster_ip,
    dial,
    host,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
)
from conformance.model.kube import Policy, ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import SESSION_AFFINITY, VIRTUAL_IPS

CASES = (
    Case(
        id="AFF-01",
        promise="With sessionAffinity ClientIP, a pod's connections to the ClusterIP all end at one endpoint.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, VIRTUAL_IPS),
        catches=(Fault.AFFINITY_IGNORED,),
        given=service(endpoints=on("a", "b"), affinity=True),
        when=dial(cluster_ip(), client=pod("a")),
        then=Answered(on("a", "b"), source=SeenSource.CLIENT, sticky=True),
        needs=(nodes(2),),
    ),
    Case(
        id="AFF-02",
        promise="With sessionAffinity ClientIP, a node's connections to the ClusterIP all end at one endpoint.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY,),
        catches=(Fault.AFFINITY_IGNORED,),
        given=service(endpoints=on("a", "b"), affinity=True),
        when=dial(cluster_ip(), client=host("b")),
        then=Answered(on("a", "b"), source=SeenSource.NODE, sticky=True),
        needs=(nodes(2),),
    ),
    Case(
        id="AFF-03",
        promise="With sessionAffinity ClientIP, a pod's connections to a node port all end at one endpoint.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY,),
        catches=(Fault.AFFINITY_IGNORED,),
        given=service(ServiceType.NODE_PORT, endpoints=on("a", "b"), affinity=True),
        when=dial(node_port("b"), client=pod("b")),
        then=Answered(on("a", "b"), source=SeenSource.NODE, sticky=True),
        needs=(nodes(2),),
    ),
    Case(
        id="AFF-04",
        promise="With sessionAffinity ClientIP, a pod's connections to the balancer's address all end at one endpoint.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY,),
        catches=(Fault.AFFINITY_IGNORED,),
        given=service(ServiceType.LOAD_BALANCER, endpoints=on("a", "b"), affinity=True),
        when=dial(load_balancer(), client=pod("c")),
        then=Answered(on("a", "b"), source=SeenSource.NODE, sticky=True),
        needs=(nodes(3),),
    ),
    Case(
        id="AFF-05",
        promise="Without session affinity one client's connections are spread over all endpoints.",
        level=Level.SHOULD,
        sources=(SESSION_AFFINITY, VIRTUAL_IPS),
        catches=(Fault.ENDPOINT_LEFT_OUT, Fault.SKEWED_LOAD),
        given=service(endpoints=on("a", "b")),
        when=dial(cluster_ip(), client=pod("c")),
        then=Answered(on("a", "b"), source=SeenSource.CLIENT),
        needs=(nodes(3),),
    ),
    Case(
        id="AFF-06",
        promise="Session affinity chooses among local endpoints only when internalTrafficPolicy is Local.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, VIRTUAL_IPS),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE,),
        given=service(endpoints=on("a", "b"), affinity=True, internal_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=pod("a")),
        then=Answered(on("a"), source=SeenSource.CLIENT, sticky=True),
        needs=(nodes(2),),
    ),
)

MATRICES = ()
