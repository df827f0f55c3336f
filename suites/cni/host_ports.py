"""hostPorts: a pod at its node's address, beside the Services and never in their way."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    AS_HOST_PORT,
    Answered,
    Breed,
    Case,
    Level,
    PortSpec,
    SeenSource,
    ask,
    axes,
    cluster_ip,
    dial,
    host,
    host_port,
    node_port,
    nodes,
    numbered,
    offered_host_ports,
    on,
    pod,
    service,
)
from conformance.model.case.backend import BOUND_PORT, SHARED_PORT
from conformance.model.kube import ServiceType
from conformance.model.outcome import Refused
from conformance.spec.faults import Fault
from conformance.spec.sources import HOST_IP, HOST_PORT, NETWORK_PLUGINS, NODE_PORT, SERVICE_PORTS, SERVICE_TYPE

_PORTED = on("a", breed=Breed.PORTED)
_BESIDE = service(endpoints=_PORTED)
_NEEDS = (nodes(2), offered_host_ports())
_SAME_NUMBER = service(
    endpoints=on("b"),
    ports=tuple(PortSpec(p.value.lower(), p, AS_HOST_PORT) for p in (Protocol.TCP, Protocol.UDP)),
    called="cni-13",
)

HOST_PORTS = (
    Case(
        id="CNI-11",
        promise="A pod with a hostPort is reached there at its node's address, by pods and nodes, over every protocol.",
        level=Level.SHOULD,
        sources=(HOST_PORT, NETWORK_PLUGINS),
        catches=(Fault.HOST_PORT_MISSING,),
        given=_BESIDE,
        steps=(
            ask("pod-near", dial(host_port("a"), client=pod("a")), Answered(_PORTED)),
            ask("pod-far", dial(host_port("a"), client=pod("b")), Answered(_PORTED)),
            ask("node-near", dial(host_port("a"), client=host("a")), Answered(_PORTED)),
            ask("node-far", dial(host_port("a"), client=host("b")), Answered(_PORTED)),
        ),
        needs=_NEEDS,
        across=axes(protocol=(Protocol.TCP, Protocol.UDP, Protocol.SCTP)),
        covers=("O08", "O09"),
    ),
    Case(
        id="CNI-12",
        promise="A hostPort with a hostIP leads to its pod at that address, and at no other of the node's.",
        level=Level.SHOULD,
        sources=(HOST_IP, NETWORK_PLUGINS),
        catches=(Fault.HOST_PORT_MISSING, Fault.HOST_IP_IGNORED),
        given=_BESIDE,
        steps=(
            ask("primary", dial(host_port("a", BOUND_PORT), client=pod("b")), Answered(_PORTED)),
            ask("secondary", dial(host_port("a", BOUND_PORT, secondary=True), client=pod("b")), Refused()),
        ),
        needs=_NEEDS,
        covers=("O08",),
    ),
    Case(
        id="CNI-13",
        promise="The number of a pod's hostPort is free at ClusterIPs and at other nodes.",
        level=Level.MUST,
        sources=(SERVICE_PORTS, SERVICE_TYPE, HOST_PORT),
        catches=(Fault.HOST_PORT_CAPTURES_SERVICES,),
        given=(_SAME_NUMBER, _BESIDE),
        steps=(
            ask("clusterIP", dial(cluster_ip(), client=pod("a")), Answered(on("b"), SeenSource.CLIENT)),
            ask("clusterIP-node", dial(cluster_ip(), client=host("a")), Answered(on("b"), SeenSource.NODE)),
            ask("node", dial(host_port("b"), client=pod("a")), Refused()),
        ),
        needs=(nodes(2),),
        covers=("O09",),
    ),
    Case(
        id="CNI-14",
        promise="A node port whose number is a pod's hostPort too leads to one of the two at that pod's node, "
        "and to its Service at every other.",
        level=Level.SHOULD,
        sources=(NODE_PORT, HOST_PORT),
        catches=(Fault.NODE_PORT_NOT_SERVED,),
        given=(service(ServiceType.NODE_PORT, on("b"), ports=numbered(SHARED_PORT), called="cni-14"), _BESIDE),
        steps=(
            ask("same", dial(node_port("a"), client=pod("b")), Answered((*on("b"), *_PORTED))),
            ask("same-node", dial(node_port("a"), client=host("a")), Answered((*on("b"), *_PORTED))),
            ask("other", dial(node_port("b"), client=pod("a")), Answered(on("b"))),
        ),
        needs=_NEEDS,
        covers=("O09",),
    ),
)
