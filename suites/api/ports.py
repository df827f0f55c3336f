"""Node ports and types: what is allocated, to whom, and when it is free again."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    PRESENT,
    UNCHANGED,
    Answered,
    Case,
    IngressSpec,
    Level,
    PortSpec,
    Rejected,
    StaticPort,
    Stored,
    alter,
    ask,
    axes,
    becomes,
    change,
    create,
    delete,
    dial,
    load_balancer,
    make,
    node_port,
    nodes,
    on,
    pod,
    really,
    service,
)
from conformance.model.kube import ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    ALLOCATE_NODE_PORTS,
    CLUSTER_IP,
    EXTERNAL_NAME,
    NO_LB_NODE_PORTS,
    NODE_PORT,
    SERVICE_PORTS,
    SERVICE_TYPE,
)

API = axes(family=(), protocol=())
CIP, NP, LB, EXT = (
    ServiceType.CLUSTER_IP,
    ServiceType.NODE_PORT,
    ServiceType.LOAD_BALANCER,
    ServiceType.EXTERNAL_NAME,
)
FIRST = "spec.ports.0.nodePort"
SECOND = "spec.ports.1.nodePort"


def _tcp(number: int, port: int = 80) -> tuple[PortSpec, ...]:
    return (PortSpec("tcp", Protocol.TCP, port, node_port=number),)


_OWNER = service(NP, called="api-40", ports=_tcp(1))
_RIVAL = service(NP, called="api-40-rival", ports=_tcp(1))
_SHARED = service(NP, called="api-40-shared")
_PLAIN = service(NP, called="api-41")
_OPEN = service(LB, called="api-42", ingress=(), allocate_node_ports=False)
_NUMBERED = service(LB, called="api-42-numbered", ingress=())
_BALANCED = service(LB, called="api-43", endpoints=on("a"), ingress=(IngressSpec(),), allocate_node_ports=False)
_PORTS = service(NP, called="api-45", ports=(PortSpec("tcp", Protocol.TCP), PortSpec("udp", Protocol.UDP, 81)))
_TYPED = service(called="api-44")
_TYPED_NP = service(NP, called="api-44-np")
_TYPED_EXT = service(EXT, called="api-44-ext", external_name="example.com")

CASES = (
    Case(
        id="API-40",
        promise="A node port belongs to one Service, of a protocol to one port, and is free again when it is given up.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(
            Fault.API_ALLOCATES_TWICE,
            Fault.API_REFUSES_VALID,
            Fault.API_KEEPS_ALLOCATED,
        ),
        given=_OWNER,
        steps=(
            ask("taken", make(_RIVAL), Rejected("spec.ports[0].nodePort")),
            ask(
                "taken-later",
                really(create(_RIVAL, (FIRST, None)), change(_RIVAL, (FIRST, StaticPort(1)))),
                Rejected("spec.ports[0].nodePort"),
            ),
            ask("deleted", really(delete(_OWNER), create(_RIVAL)), Stored(((FIRST, StaticPort(1)),))),
            ask(
                "given-up",
                really(
                    create(service(NP, called="api-40-first", ports=_tcp(2))),
                    change(service(NP, called="api-40-first", ports=_tcp(2)), ("spec.type", "ClusterIP")),
                    create(service(NP, called="api-40-second", ports=_tcp(2))),
                ),
                Stored(((FIRST, StaticPort(2)),)),
            ),
            ask(
                "shared",
                make(_SHARED, (FIRST, StaticPort(3)), (SECOND, StaticPort(3))),
                Stored(((FIRST, StaticPort(3)), (SECOND, StaticPort(3)))),
            ),
            ask(
                "repeated",
                make(
                    _SHARED,
                    ("spec.ports.1.protocol", "TCP"),
                    ("spec.ports.1.port", 81),
                    (FIRST, StaticPort(3)),
                    (SECOND, StaticPort(3)),
                ),
                Rejected("spec.ports[1].nodePort"),
            ),
        ),
        across=API,
        covers=("B13",),
    ),
    Case(
        id="API-41",
        promise="Node ports are given from the cluster's range, and none outside it.",
        level=Level.MUST,
        sources=(NODE_PORT,),
        catches=(
            Fault.API_TAKES_INVALID,
            Fault.API_ALLOCATES_TWICE,
            Fault.API_ALLOCATES_NOTHING,
        ),
        given=(),
        steps=(
            # For real: a dry run does not look at the range (pkg/registry/core/service/portallocator/operation.go).
            ask("outside", really(create(_PLAIN, (FIRST, 70000))), Rejected("spec.ports[0].nodePort")),
            ask("given", really(create(_PLAIN)), Stored(((FIRST, PRESENT), (SECOND, PRESENT)))),
            ask(
                "none", make(service(called="api-41-none"), (FIRST, StaticPort(4))), Rejected("spec.ports[0].nodePort")
            ),
        ),
        across=API,
        covers=("B13",),
    ),
    Case(
        id="API-42",
        promise="A load balancer may do without node ports, and gets them when they are wanted later.",
        level=Level.MUST,
        sources=(ALLOCATE_NODE_PORTS, NO_LB_NODE_PORTS),
        catches=(
            Fault.API_ALLOCATES_UNWANTED,
            Fault.API_ALLOCATES_NOTHING,
            Fault.API_ALLOCATES_ANEW,
            Fault.API_REFUSES_CHANGE,
            Fault.API_TAKES_INVALID,
        ),
        given=(_OPEN, _NUMBERED),
        steps=(
            ask("none", make(_OPEN.but(called="api-42-none")), Stored(((FIRST, None), (SECOND, None)))),
            ask("later", alter(_OPEN, ("spec.allocateLoadBalancerNodePorts", True)), Stored(((FIRST, PRESENT),))),
            ask(
                "kept",
                alter(_NUMBERED, ("spec.allocateLoadBalancerNodePorts", False)),
                Stored(((FIRST, UNCHANGED), (SECOND, UNCHANGED))),
            ),
            ask(
                "elsewhere",
                make(service(NP, called="api-42-np"), ("spec.allocateLoadBalancerNodePorts", False)),
                Rejected("spec.allocateLoadBalancerNodePorts"),
            ),
        ),
        across=API,
        covers=("D19",),
    ),
    Case(
        id="API-43",
        promise="A load balancer without node ports is served at its address, and at node ports once it has them.",
        level=Level.MUST,
        sources=(ALLOCATE_NODE_PORTS, NO_LB_NODE_PORTS),
        catches=(Fault.LOAD_BALANCER_NOT_SERVED, Fault.NODE_PORT_NOT_SERVED),
        given=_BALANCED,
        steps=(
            ask("without", dial(load_balancer(), client=pod("b")), Answered(on("a"))),
            becomes(_BALANCED.but(allocate_node_ports=True)),
            ask("with", dial(load_balancer(), client=pod("b")), Answered(on("a"))),
            ask("port", dial(node_port("a"), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(Protocol.TCP,)),
        covers=("D19",),
    ),
    Case(
        id="API-44",
        promise="A Service's type may change: what the new type needs is allocated, what it does not is given back.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, SERVICE_PORTS, CLUSTER_IP, EXTERNAL_NAME),
        catches=(
            Fault.API_DEFAULT_MISSING,
            Fault.API_ALLOCATES_NOTHING,
            Fault.API_ALLOCATES_ANEW,
            Fault.API_KEEPS_UNUSED,
            Fault.API_REFUSES_CHANGE,
        ),
        given=(_TYPED, _TYPED_NP, _TYPED_EXT),
        steps=(
            ask(
                "node-port",
                alter(_TYPED, ("spec.type", "NodePort")),
                Stored(((FIRST, PRESENT), ("spec.clusterIPs", UNCHANGED), ("spec.externalTrafficPolicy", "Cluster"))),
            ),
            ask(
                "balanced",
                alter(_TYPED_NP, ("spec.type", "LoadBalancer"), ("spec.loadBalancerClass", "nftconform.io/by-hand")),
                Stored(
                    (
                        (FIRST, UNCHANGED),
                        (SECOND, UNCHANGED),
                        ("spec.clusterIPs", UNCHANGED),
                        ("spec.allocateLoadBalancerNodePorts", True),
                    )
                ),
            ),
            ask(
                "cluster-ip",
                alter(_TYPED_NP, ("spec.type", "ClusterIP")),
                Stored(((FIRST, None), ("spec.externalTrafficPolicy", None), ("spec.clusterIPs", UNCHANGED))),
            ),
            ask(
                "external-name",
                alter(_TYPED, ("spec.type", "ExternalName"), ("spec.externalName", "example.com")),
                Stored((("spec.clusterIP", None), ("spec.clusterIPs", None), ("spec.ipFamilies", None))),
            ),
            ask(
                "back",
                alter(
                    _TYPED_EXT,
                    ("spec.type", "ClusterIP"),
                    ("spec.externalName", None),
                    ("spec.ports", ({"name": "tcp", "port": 80, "protocol": "TCP"},)),
                ),
                Stored((("spec.clusterIP", PRESENT), ("spec.ports.0.targetPort", 80))),
            ),
        ),
        across=API,
        covers=("D25",),
    ),
    Case(
        id="API-45",
        promise="A Service's ports may be renumbered, added and removed, and a port that stays keeps its node port.",
        level=Level.MUST,
        sources=(SERVICE_PORTS, NODE_PORT),
        catches=(
            Fault.API_DEFAULT_MISSING,
            Fault.API_ALLOCATES_NOTHING,
            Fault.API_ALLOCATES_ANEW,
            Fault.API_REFUSES_CHANGE,
            Fault.API_TAKES_INVALID,
        ),
        given=_PORTS,
        steps=(
            ask(
                "renumbered",
                alter(_PORTS, ("spec.ports.0.port", 8081)),
                Stored((("spec.ports.0.port", 8081), (FIRST, UNCHANGED), ("spec.clusterIPs", UNCHANGED))),
            ),
            ask(
                "unsaid",
                alter(_PORTS, ("spec.ports.0.port", 8081), (FIRST, None)),
                Stored((("spec.ports.0.port", 8081), (FIRST, UNCHANGED))),
            ),
            ask("moved", alter(_PORTS, (FIRST, StaticPort(5))), Stored(((FIRST, StaticPort(5)), (SECOND, UNCHANGED)))),
            ask(
                "added",
                alter(_PORTS, ("spec.ports.2", {"name": "more", "port": 82})),
                Stored((("spec.ports.2.nodePort", PRESENT), ("spec.ports.2.protocol", "TCP"), (FIRST, UNCHANGED))),
            ),
            ask("nameless", alter(_PORTS, ("spec.ports.0.name", None)), Rejected("spec.ports[0].name")),
            ask("namesake", alter(_PORTS, ("spec.ports.1.name", "tcp")), Rejected("spec.ports[1].name")),
            ask(
                "repeated",
                alter(_PORTS, ("spec.ports.1.protocol", "TCP"), ("spec.ports.1.port", 80)),
                Rejected("spec.ports[1]"),
            ),
            ask("zero", alter(_PORTS, ("spec.ports.0.port", 0)), Rejected("spec.ports[0].port")),
            ask("beyond", alter(_PORTS, ("spec.ports.0.port", 65536)), Rejected("spec.ports[0].port")),
            ask("protocol", alter(_PORTS, ("spec.ports.0.protocol", "ICMP")), Rejected("spec.ports[0].protocol")),
            ask("portless", alter(_PORTS, ("spec.ports", None)), Rejected("spec.ports")),
        ),
        across=API,
        covers=("D25",),
    ),
)
