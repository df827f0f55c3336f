"""A LoadBalancer Service that changes: its ports, node ports, type and endpoints."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    BOTH,
    Answered,
    Case,
    IngressSpec,
    Level,
    PortSpec,
    SeenSource,
    Stored,
    Submission,
    Vantage,
    ask,
    axes,
    becomes,
    cluster_ip,
    dial,
    external,
    load_balancer,
    node_port,
    nodes,
    numbered,
    on,
    pod,
    service,
    vantage,
)
from conformance.model.kube import ServiceType
from conformance.model.outcome import Refused, Unanswered
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    ALLOCATE_NODE_PORTS,
    CONNTRACK_CODE,
    NO_LB_NODE_PORTS,
    NODE_PORT,
    SERVICE_PORTS,
    SERVICE_TYPE,
    VIRTUAL_IPS,
)

LB, NP, CIP = ServiceType.LOAD_BALANCER, ServiceType.NODE_PORT, ServiceType.CLUSTER_IP
VIP = (IngressSpec(),)

_WITHOUT = service(LB, endpoints=on("a"), ingress=VIP, allocate_node_ports=False, called="lb-15")
_RELEASED = service(LB, endpoints=on("a"), ingress=VIP, ports=numbered(22), called="lb-17")
_RENUMBERED = service(LB, endpoints=on("a"), ingress=VIP, ports=numbered(23), called="lb-18")
_OTHER_NUMBERS = (
    PortSpec("tcp", Protocol.TCP, 8180, node_port=21),
    PortSpec("udp", Protocol.UDP, 8180, node_port=21),
)
_RETYPED = service(LB, endpoints=on("a"), ingress=VIP, ports=numbered(24), called="lb-19")
_ROLLED = service(LB, endpoints=on("a"), ingress=VIP, called="lb-20")
_CYCLED = service(LB, endpoints=on("a"), ingress=VIP, called="lb-21")

CASES = (
    Case(
        id="LB-15",
        promise="A balancer's address is served without node ports; node ports that are wanted later are served too.",
        level=Level.MUST,
        sources=(ALLOCATE_NODE_PORTS, NO_LB_NODE_PORTS),
        catches=(Fault.LOAD_BALANCER_NOT_SERVED, Fault.NODE_PORT_NOT_SERVED),
        given=_WITHOUT,
        steps=(
            ask("outside", dial(load_balancer(), client=external()), Answered(on("a"), SeenSource.NODE)),
            ask("pod", dial(load_balancer(), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            becomes(_WITHOUT.but(allocate_node_ports=True)),
            ask("still", dial(load_balancer(), client=external()), Answered(on("a"), SeenSource.NODE)),
            ask("node-port", dial(node_port("a"), client=external()), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(vantage(Vantage.EXTERNAL),),
        covers=("D07", "D19"),
    ),
    Case(
        id="LB-16",
        promise="With allocateLoadBalancerNodePorts false no node port is given to the Service.",
        level=Level.MUST,
        sources=(ALLOCATE_NODE_PORTS, NO_LB_NODE_PORTS),
        catches=(Fault.API_ALLOCATES_UNWANTED,),
        given=_WITHOUT.but(called="lb-16-beside"),
        steps=(
            ask(
                "created",
                Submission(_WITHOUT.but(called="lb-16"), create=True),
                Stored((("spec.ports.0.nodePort", None), ("spec.ports.1.nodePort", None))),
            ),
        ),
        across=axes(family=(), protocol=()),
        covers=("D20",),
    ),
    Case(
        id="LB-17",
        promise="A Service that is balanced anew without node ports closes the node ports that it had.",
        level=Level.MUST,
        sources=(ALLOCATE_NODE_PORTS, NO_LB_NODE_PORTS),
        catches=(Fault.OLD_ADDRESS_SERVED, Fault.OLD_NODE_PORT_SERVED, Fault.LOAD_BALANCER_NOT_SERVED),
        given=_RELEASED,
        steps=(
            ask("open", dial(node_port("b"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            becomes(_RELEASED.but(type=CIP, ingress=None, ports=BOTH)),
            ask("unbalanced", dial(load_balancer(former=True), client=pod("b")), Unanswered()),
            becomes(_RELEASED.but(allocate_node_ports=False, ports=BOTH)),
            ask("balanced", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("closed-a", dial(node_port("a", former=True), client=pod("a")), Refused()),
            ask("closed-b", dial(node_port("b", former=True), client=pod("b")), Refused()),
        ),
        needs=(nodes(2),),
        covers=("D20",),
    ),
    Case(
        id="LB-18",
        promise="A balanced Service whose port and node port numbers change is served at the new ones only.",
        level=Level.MUST,
        sources=(SERVICE_PORTS, NODE_PORT),
        catches=(Fault.STALE_PORT, Fault.OLD_NODE_PORT_SERVED, Fault.NO_SERVICE_RULES),
        given=_RENUMBERED,
        steps=(
            ask("before", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("node-port-before", dial(node_port("b"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            becomes(_RENUMBERED.but(ports=_OTHER_NUMBERS)),
            ask("after", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("node-port-after", dial(node_port("b"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("former", dial(load_balancer(former=True), client=pod("b")), Unanswered()),
            ask("node-port-former", dial(node_port("b", former=True), client=pod("b")), Refused()),
        ),
        needs=(nodes(2),),
        covers=("D25",),
    ),
    Case(
        id="LB-19",
        promise="A Service that stops to be balanced loses its address and then its node ports, on every node.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, NODE_PORT),
        catches=(Fault.OLD_ADDRESS_SERVED, Fault.OLD_NODE_PORT_SERVED, Fault.STATUS_NOT_FOLLOWED),
        given=_RETYPED,
        steps=(
            ask("balanced", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("balanced-node-port", dial(node_port("b"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            becomes(_RETYPED.but(type=NP, ingress=None)),
            ask("node-port", dial(node_port("b", former=True), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("unbalanced", dial(load_balancer(former=True), client=pod("b")), Unanswered()),
            becomes(_RETYPED.but(type=CIP, ingress=None, ports=BOTH)),
            ask("cluster-ip", dial(cluster_ip(former=True), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            ask("closed-a", dial(node_port("a", former=True), client=pod("a")), Refused()),
            ask("closed-b", dial(node_port("b", former=True), client=pod("b")), Refused()),
        ),
        needs=(nodes(2),),
        covers=("D25",),
    ),
    Case(
        id="LB-20",
        promise="While endpoints are replaced one by one, the balancer's address has one and no connection ends.",
        level=Level.SHOULD,
        sources=(VIRTUAL_IPS, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT, Fault.ENDPOINT_LEFT_OUT),
        given=_ROLLED,
        steps=(
            ask("held", dial(load_balancer(), client=external(), flow="held"), Answered(on("a"), SeenSource.NODE)),
            becomes(_ROLLED.but(endpoints=on("a", "b"))),
            ask("both", dial(load_balancer(), client=external()), Answered(on("a", "b"), SeenSource.NODE)),
            ask("held-on", dial(load_balancer(), client=external(), flow="held"), Answered(on("a"), SeenSource.NODE)),
            becomes(_ROLLED.but(endpoints=on("b"))),
            ask("new", dial(load_balancer(), client=external()), Answered(on("b"), SeenSource.NODE)),
            ask("held-out", dial(load_balancer(), client=external(), flow="held"), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=axes(protocol=(Protocol.TCP,)),
        covers=("D23",),
    ),
    Case(
        id="LB-21",
        promise="A UDP flow to the balancer's address follows when the endpoint moves to another node, and back.",
        level=Level.MUST,
        sources=(VIRTUAL_IPS, CONNTRACK_CODE),
        catches=(Fault.STALE_ENDPOINT,),
        given=_CYCLED,
        steps=(
            ask("first", dial(load_balancer(), client=external(), flow="udp"), Answered(on("a"), SeenSource.NODE)),
            becomes(_CYCLED.but(endpoints=on("b"))),
            ask("moved", dial(load_balancer(), client=external(), flow="udp"), Answered(on("b"), SeenSource.NODE)),
            becomes(_CYCLED),
            ask("back", dial(load_balancer(), client=external(), flow="udp"), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=axes(protocol=(Protocol.UDP,)),
        covers=("D23",),
    ),
)
