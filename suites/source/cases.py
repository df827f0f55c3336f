"""Who is seen as the client: pods keep their address, nodes show their own, and nobody comes between two pods."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Breed,
    Case,
    Level,
    Matrix,
    PortSpec,
    SeenSource,
    ask,
    axes,
    cluster_ip,
    dial,
    host,
    node_port,
    nodes,
    on,
    on_host,
    pod,
    pod_address,
    service,
)
from conformance.model.kube import ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import DETECT_LOCAL, NETWORK_MODEL, SERVICE_TYPE, SOURCE_IP, VIRTUAL_IPS

_EVERY_PROTOCOL = axes(protocol=(Protocol.TCP, Protocol.UDP, Protocol.SCTP))
_PORTS = tuple(PortSpec(p.value.lower(), p) for p in _EVERY_PROTOCOL.protocol)
_RAW = on("a", breed=Breed.RAW)
_SERVICE = service(endpoints=_RAW, ports=_PORTS, called="src-01")

CASES = (
    Case(
        id="SRC-01",
        promise="An endpoint sees a pod that dials the ClusterIP with its own address, over TCP, UDP and SCTP.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, SOURCE_IP, DETECT_LOCAL),
        catches=(Fault.MASQUERADE_EVERYTHING, Fault.ONE_PROTOCOL_MISSING, Fault.PODS_TAKEN_FOR_OUTSIDERS),
        given=_SERVICE,
        steps=(
            ask("near", dial(cluster_ip(), client=pod("a")), Answered(_RAW, SeenSource.CLIENT)),
            ask("far", dial(cluster_ip(), client=pod("b")), Answered(_RAW, SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        across=_EVERY_PROTOCOL,
        covers=("H01", "H02"),
    ),
    Case(
        id="SRC-02",
        promise="An endpoint on another node sees a node that dials the ClusterIP with an address of that very node.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, SOURCE_IP),
        catches=(Fault.MASQUERADED_AS_STRANGER,),
        given=_SERVICE,
        steps=(
            ask("far", dial(cluster_ip(), client=host("b")), Answered(_RAW, SeenSource.NODE)),
            ask("near", dial(cluster_ip(), client=host("a")), Answered(_RAW, SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        across=_EVERY_PROTOCOL,
        covers=("H03",),
    ),
    Case(
        id="SRC-03",
        promise="A pod reaches every pod at its own address, on its node and on others, and is seen with its own.",
        level=Level.MUST,
        sources=(NETWORK_MODEL,),
        catches=(Fault.POD_TO_POD_BROKEN, Fault.POD_TO_POD_MASQUERADED),
        given=_SERVICE,
        steps=(
            ask("near", dial(pod_address("raw-a"), client=pod("a")), Answered(_RAW, SeenSource.CLIENT)),
            ask("far", dial(pod_address("raw-a"), client=pod("b")), Answered(_RAW, SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        across=_EVERY_PROTOCOL,
        covers=("H04", "O01"),
    ),
    Case(
        id="SRC-04",
        promise="A node's own process reaches the pods of its node at their own addresses.",
        level=Level.MUST,
        sources=(NETWORK_MODEL,),
        catches=(Fault.OWN_PODS_NOT_REACHED,),
        given=_SERVICE,
        when=dial(pod_address("raw-a"), client=host("a")),
        then=Answered(_RAW),
        across=_EVERY_PROTOCOL,
        covers=("O01",),
    ),
    Case(
        id="SRC-05",
        promise="Nodes reach the pods of other nodes, and pods what listens in nodes' own networks.",
        level=Level.SHOULD,
        sources=(NETWORK_MODEL, VIRTUAL_IPS),
        catches=(Fault.POD_TO_POD_BROKEN,),
        given=service(endpoints=(*on("a"), *on_host("b"))),
        steps=(
            ask("node-pod", dial(pod_address("web-a"), client=host("b")), Answered(on("a"))),
            ask("pod-node", dial(pod_address("host-b"), client=pod("a")), Answered(on_host("b"))),
            ask("pod-own-node", dial(pod_address("host-b"), client=pod("b")), Answered(on_host("b"))),
            ask("node-node", dial(pod_address("host-b"), client=host("a")), Answered(on_host("b"))),
        ),
        needs=(nodes(2),),
        covers=("O01",),
    ),
    Case(
        id="SRC-06",
        promise="A pod reaches an endpoint of its own node through a Service, whose answers come back translated.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, VIRTUAL_IPS),
        catches=(Fault.NO_SERVICE_RULES, Fault.MASQUERADE_EVERYTHING),
        given=service(ServiceType.NODE_PORT, on("a")),
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=pod("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("nodePort", dial(node_port("a"), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
        ),
        covers=("O10",),
    ),
)

MATRICES: tuple[Matrix, ...] = ()
