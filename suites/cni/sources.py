"""Source addresses and ports on their way through the pod network, whatever else writes marks and rules there."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Breed,
    Case,
    Dialling,
    Level,
    PortSpec,
    SeenSource,
    ask,
    axes,
    cluster_ip,
    dial,
    endpoint,
    host,
    node_port,
    nodes,
    on,
    pod,
    pod_address,
    service,
)
from conformance.model.case.refs import ClientRef
from conformance.model.kube import ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import NETWORK_MODEL, NFTABLES_CODE, NODE_PORT, SERVICE_TYPE, SOURCE_IP, VIRTUAL_IPS

_EVERY_PROTOCOL = axes(protocol=(Protocol.TCP, Protocol.UDP, Protocol.SCTP))
_PORTS = tuple(PortSpec(p.value.lower(), p) for p in _EVERY_PROTOCOL.protocol)
_RAW = on("a", breed=Breed.RAW)
_ONE = service(ServiceType.NODE_PORT, _RAW, ports=_PORTS, called="cni-01")
_TWO = service(ServiceType.NODE_PORT, on("a", "b"), called="cni-03")
_MANY = 500


def _many(client: ClientRef) -> Dialling:
    return dial(node_port("b"), client=client, times=_MANY, promptly=True)


SOURCES = (
    Case(
        id="CNI-01",
        promise="A pod sees other pods with their own addresses, dialled past every Service or at a ClusterIP.",
        level=Level.MUST,
        sources=(NETWORK_MODEL, SOURCE_IP),
        catches=(Fault.MARK_BIT_TAKEN, Fault.POD_TO_POD_MASQUERADED),
        given=_ONE,
        steps=(
            ask("near", dial(pod_address("raw-a"), client=pod("a")), Answered(_RAW, SeenSource.CLIENT)),
            ask("far", dial(pod_address("raw-a"), client=pod("b")), Answered(_RAW, SeenSource.CLIENT)),
            ask("service-near", dial(cluster_ip(), client=pod("a")), Answered(_RAW, SeenSource.CLIENT)),
            ask("service-far", dial(cluster_ip(), client=pod("b")), Answered(_RAW, SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        across=_EVERY_PROTOCOL,
        covers=("O01", "O10", "O15"),
    ),
    Case(
        id="CNI-02",
        promise="Through a node port an endpoint of another node sees the node that was dialled, and none but it.",
        level=Level.MUST,
        sources=(NODE_PORT, SOURCE_IP),
        catches=(Fault.MARK_OVERWRITTEN, Fault.NO_MASQUERADE),
        given=_ONE,
        steps=(
            ask("own", dial(node_port("b"), client=pod("b")), Answered(_RAW, SeenSource.NODE)),
            ask("other", dial(node_port("b"), client=pod("c")), Answered(_RAW, SeenSource.NODE)),
            ask("node", dial(node_port("b"), client=host("c")), Answered(_RAW, SeenSource.NODE)),
        ),
        needs=(nodes(3),),
        across=_EVERY_PROTOCOL,
        covers=("O15",),
    ),
    Case(
        id="CNI-03",
        promise="An endpoint that is one of several reaches all of them through their Service, itself included.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, NFTABLES_CODE),
        catches=(Fault.NO_HAIRPIN,),
        given=_TWO,
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=endpoint("a")), Answered(on("a", "b"))),
            ask("nodePort", dial(node_port("a"), client=endpoint("a")), Answered(on("a", "b"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
    ),
    Case(
        id="CNI-04",
        promise="Many connections of two clients at once, which one node masquerades, all reach one endpoint.",
        level=Level.SHOULD,
        sources=(NODE_PORT, VIRTUAL_IPS),
        catches=(Fault.SOURCE_PORTS_CLASH,),
        given=service(ServiceType.NODE_PORT, on("a")),
        steps=(
            ask("one", _many(pod("b")), Answered(on("a"), SeenSource.NODE, promptly=True)),
            ask("two", _many(pod("c")), Answered(on("a"), SeenSource.NODE, promptly=True)),
        ),
        needs=(nodes(3),),
        across=axes(protocol=(Protocol.TCP,)),
    ),
)
