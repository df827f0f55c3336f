"""A Service without endpoints refuses at once, so that clients fail fast; and who counts as an endpoint."""

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
    Profile,
    SeenSource,
    Vantage,
    ask,
    axes,
    by_hand,
    cluster_ip,
    dial,
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
from conformance.spec.sources import CONDITIONS, NFTABLES_CODE, PUBLISH_NOT_READY, READY, SERVICE_TYPE, VIRTUAL_IPS
from suites.endpoints.lifecycle import LIFECYCLE

NP, LB = ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER
REFUSED = Refused(RefusedBy.ICMP)
SCTP = (PortSpec("sctp", Protocol.SCTP),)
_BALANCED = service(LB, endpoints=on(), ingress=(IngressSpec(),), called="nep-06")

CASES = (
    Case(
        id="NEP-01",
        promise="A pod that dials the ClusterIP of a Service without endpoints is refused at once.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, READY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(endpoints=on()),
        when=dial(cluster_ip(), client=pod("a")),
        then=REFUSED,
        covers=("J01", "J03", "J05"),
    ),
    Case(
        id="NEP-02",
        promise="A node's own process that dials the ClusterIP of a Service without endpoints is refused at once.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, READY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(endpoints=on()),
        when=dial(cluster_ip(), client=host("b")),
        then=REFUSED,
        needs=(nodes(2),),
        covers=("J02", "J03", "J05"),
    ),
    Case(
        id="NEP-03",
        promise="A client outside the cluster is refused at an external IP of a Service without endpoints.",
        level=Level.SHOULD,
        sources=(SERVICE_TYPE, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS,),
        given=service(endpoints=on(), external_ip=True),
        when=dial(external_ip(), client=external("a")),
        then=REFUSED,
        needs=(vantage(Vantage.EXTERNAL),),
        covers=("J02", "J03", "J05"),
    ),
    Case(
        id="NEP-04",
        promise="The node port of a Service without endpoints refuses pods and nodes at once, on every node.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, READY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(NP, endpoints=on()),
        steps=(
            ask("pod", dial(node_port("b"), client=pod("a")), REFUSED),
            ask("own", dial(node_port("a"), client=pod("a")), REFUSED),
            ask("node", dial(node_port("b"), client=host("a")), REFUSED),
        ),
        needs=(nodes(2),),
        covers=("J02", "J03", "J05"),
    ),
    Case(
        id="NEP-05",
        promise="The node port of a Service without endpoints refuses clients outside the cluster at once.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, READY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(NP, endpoints=on()),
        when=dial(node_port("a"), client=external("a")),
        then=REFUSED,
        needs=(vantage(Vantage.EXTERNAL),),
        covers=("J02",),
    ),
    Case(
        id="NEP-06",
        promise="A pod is refused at once at the load balancer address of a Service without endpoints.",
        level=Level.SHOULD,
        sources=(SERVICE_TYPE, READY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=_BALANCED,
        when=dial(load_balancer(), client=pod("a")),
        then=REFUSED,
        covers=("J02", "J03", "J05"),
    ),
    Case(
        id="NEP-07",
        promise="A node's own process is refused at the external addresses of a Service without endpoints.",
        level=Level.SHOULD,
        sources=(SERVICE_TYPE, READY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS,),
        given=(_BALANCED, service(endpoints=on(), external_ip=True)),
        steps=(
            ask("balancer", dial(load_balancer("nep-06"), client=host("a")), REFUSED),
            ask("external", dial(external_ip("cip-eip-none"), client=host("a")), REFUSED),
        ),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("J02",),
    ),
    Case(
        id="NEP-08",
        promise="An SCTP Service without endpoints refuses at its ClusterIP and at its node port.",
        level=Level.SHOULD,
        sources=(SERVICE_TYPE, READY, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.ONE_PROTOCOL_MISSING),
        given=service(NP, endpoints=on(), ports=SCTP, called="nep-08"),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a")), REFUSED),
            ask("node", dial(cluster_ip(), client=host("b")), REFUSED),
            ask("port", dial(node_port("b"), client=pod("a")), REFUSED),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(Protocol.SCTP,)),
        covers=("J04",),
    ),
    Case(
        id="NEP-09",
        promise="A Service whose pods all fail their readiness probes refuses, as if it had none.",
        level=Level.MUST,
        sources=(READY, VIRTUAL_IPS),
        catches=(Fault.NOT_READY_CHOSEN, Fault.NO_ENDPOINTS_DROPS),
        given=service(NP, endpoints=on("a", breed=Breed.UNREADY)),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a")), REFUSED),
            ask("port", dial(node_port("b"), client=pod("a")), REFUSED),
        ),
        needs=(nodes(2),),
        covers=("A29",),
    ),
    Case(
        id="NEP-10",
        promise="A pod that is not ready gets no traffic while another is.",
        level=Level.MUST,
        sources=(READY,),
        catches=(Fault.NOT_READY_CHOSEN,),
        given=service(endpoints=(*on("a"), *on("b", breed=Breed.UNREADY))),
        when=dial(cluster_ip(), client=pod("b"), times=40),
        then=Answered(on("a"), SeenSource.CLIENT),
        needs=(nodes(2),),
        covers=("A29",),
    ),
    Case(
        id="NEP-11",
        promise="With publishNotReadyAddresses pods that are not ready get traffic like others.",
        level=Level.MUST,
        sources=(PUBLISH_NOT_READY,),
        catches=(Fault.UNREADY_WITHHELD,),
        given=service(NP, endpoints=(*on("a"), *on("b", breed=Breed.UNREADY)), publish_not_ready=True, called="nep-11"),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a")), Answered((*on("a"), *on("b", breed=Breed.UNREADY)))),
            ask("port", dial(node_port("a"), client=pod("a")), Answered((*on("a"), *on("b", breed=Breed.UNREADY)))),
        ),
        needs=(nodes(2),),
        covers=("A29",),
    ),
    Case(
        id="NEP-12",
        promise="A Service whose slices list only endpoints that are neither ready nor serving refuses.",
        level=Level.MUST,
        sources=(CONDITIONS, VIRTUAL_IPS),
        catches=(Fault.NOT_READY_CHOSEN, Fault.NO_ENDPOINTS_DROPS),
        given=service(
            slices=(by_hand(*(EndpointSpec(b, ready=False, serving=False) for b in on("a", "b"))),), called="nep-12"
        ),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a")), REFUSED),
            ask("node", dial(cluster_ip(), client=host("b")), REFUSED),
        ),
        needs=(nodes(2),),
    ),
    Case(
        id="NEP-13",
        promise="A Service whose pods have all ended, as evicted ones have, refuses.",
        level=Level.MUST,
        sources=(READY, VIRTUAL_IPS),
        catches=(Fault.NO_ENDPOINTS_DROPS,),
        given=service(NP, endpoints=on("a", breed=Breed.FAILED)),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a")), REFUSED),
            ask("port", dial(node_port("b"), client=pod("a")), REFUSED),
        ),
        needs=(nodes(2),),
        covers=("J06",),
    ),
    *LIFECYCLE,
)

MATRICES = ()
