"""The load balancer's status, written by the kit itself: which of its addresses the nodes serve, and how long."""

from __future__ import annotations

from conformance.model.addresses import Family, Protocol
from conformance.model.case import (
    Answered,
    Breed,
    Case,
    IngressSpec,
    Level,
    PortSpec,
    SeenSource,
    Vantage,
    ask,
    axes,
    becomes,
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
from conformance.model.kube import IPMode, ServiceType
from conformance.model.outcome import Unanswered
from conformance.spec.faults import Fault
from conformance.spec.sources import IP_FAMILIES, IP_MODE, IP_MODE_KEP, NFTABLES_CODE, SERVICE_PORT_CODE, SERVICE_TYPE

LB = ServiceType.LOAD_BALANCER
VIP, PROXY = IngressSpec(), IngressSpec(mode=IPMode.PROXY)
NAME = IngressSpec(hostname=True)

_BY_HAND = service(LB, endpoints=on("a", "b"), ingress=(VIP,), called="lb-09")
_SCTP = service(
    LB,
    endpoints=on("a", breed=Breed.RAW),
    ports=(PortSpec("sctp", Protocol.SCTP),),
    ingress=(VIP,),
    called="lb-10",
)
_SINGLE = service(LB, endpoints=on("a"), families=(Family.IPV6,), ingress=(VIP,), called="lb-11")
_PROXIED = service(LB, endpoints=on("a"), ingress=(PROXY,), called="lb-12")
_FLIPPED = service(LB, endpoints=on("a"), ingress=(VIP,), called="lb-13")
_SEVERAL = service(LB, endpoints=on("a"), ingress=(VIP, VIP, PROXY), called="lb-14")

CASES = (
    Case(
        id="LB-09",
        promise="Nodes serve any balancer's address that the Service's status tells, whoever wrote it there.",
        level=Level.MUST,
        sources=(IP_MODE, SERVICE_TYPE),
        catches=(Fault.LOAD_BALANCER_NOT_SERVED, Fault.NO_HAIRPIN),
        given=_BY_HAND,
        steps=(
            ask("outside", dial(load_balancer(), client=external("c")), Answered(on("a", "b"), SeenSource.NODE)),
            ask("pod", dial(load_balancer(), client=pod("c")), Answered(on("a", "b"), SeenSource.NODE)),
            ask("endpoint", dial(load_balancer(), client=endpoint("a")), Answered(on("a", "b"), SeenSource.NODE)),
            ask("node-a", dial(load_balancer(), client=host("a")), Answered(on("a", "b"), SeenSource.NODE)),
            ask("node-b", dial(load_balancer(), client=host("b")), Answered(on("a", "b"), SeenSource.NODE)),
            ask("node-c", dial(load_balancer(), client=host("c")), Answered(on("a", "b"), SeenSource.NODE)),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("D06", "D07", "D24"),
    ),
    Case(
        id="LB-10",
        promise="Nodes serve SCTP at the balancer's address.",
        level=Level.MUST,
        sources=(SERVICE_TYPE,),
        catches=(Fault.ONE_PROTOCOL_MISSING,),
        given=_SCTP,
        steps=(
            ask("outside", dial(load_balancer(), client=external()), Answered(_SCTP.endpoints, SeenSource.NODE)),
            ask("pod", dial(load_balancer(), client=pod("b")), Answered(_SCTP.endpoints, SeenSource.NODE)),
            ask("node", dial(load_balancer(), client=host("b")), Answered(_SCTP.endpoints, SeenSource.NODE)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=axes(protocol=(Protocol.SCTP,)),
        covers=("D03",),
    ),
    Case(
        id="LB-11",
        promise="The balancer's address of a Service of one family alone is served, though it be the secondary one.",
        level=Level.MUST,
        sources=(IP_FAMILIES, SERVICE_TYPE),
        catches=(Fault.LOAD_BALANCER_NOT_SERVED, Fault.ONE_FAMILY_MISSING),
        given=_SINGLE,
        steps=(
            ask("pod", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("node", dial(load_balancer(), client=host("b")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        across=axes(family=(Family.IPV6,)),
        covers=("D24",),
    ),
    Case(
        id="LB-12",
        promise="Nodes leave a balancer's address of ipMode Proxy alone, and serve the Service's other addresses.",
        level=Level.MUST,
        sources=(IP_MODE, IP_MODE_KEP),
        catches=(Fault.PROXY_MODE_INGRESS_CAPTURED,),
        given=_PROXIED,
        steps=(
            ask("outside", dial(load_balancer(), client=external()), Unanswered()),
            ask("pod", dial(load_balancer(), client=pod("a")), Unanswered()),
            ask("node", dial(load_balancer(), client=host("a")), Unanswered()),
            ask("cluster-ip", dial(cluster_ip(), client=pod("a")), Answered(on("a"))),
            ask("node-port", dial(node_port("a"), client=external()), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(vantage(Vantage.EXTERNAL),),
        covers=("D08",),
    ),
    Case(
        id="LB-13",
        promise="Nodes stop to serve a balancer's address that becomes one of ipMode Proxy, and start again.",
        level=Level.MUST,
        sources=(IP_MODE, IP_MODE_KEP, SERVICE_PORT_CODE),
        catches=(Fault.STATUS_NOT_FOLLOWED, Fault.PROXY_MODE_INGRESS_CAPTURED),
        given=_FLIPPED,
        steps=(
            ask("served", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            becomes(_FLIPPED.but(ingress=(PROXY,))),
            ask("left-alone", dial(load_balancer(), client=pod("b")), Unanswered()),
            ask("left-alone-node", dial(load_balancer(), client=host("b")), Unanswered()),
            becomes(_FLIPPED),
            ask("served-again", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        covers=("D09",),
    ),
    Case(
        id="LB-14",
        promise="Each of several balancer's addresses is served by its own mode, until the status tells it no more.",
        level=Level.MUST,
        sources=(IP_MODE, IP_MODE_KEP, NFTABLES_CODE),
        catches=(Fault.STATUS_NOT_FOLLOWED, Fault.OLD_ADDRESS_SERVED, Fault.PROXY_MODE_INGRESS_CAPTURED),
        given=_SEVERAL,
        steps=(
            ask("first", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("second", dial(load_balancer(number=1), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("third-proxy", dial(load_balancer(number=2), client=pod("b")), Unanswered()),
            becomes(_SEVERAL.but(ingress=(VIP,))),
            ask("kept", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("removed", dial(load_balancer(number=1, former=True), client=pod("b")), Unanswered()),
            becomes(_SEVERAL.but(ingress=(NAME,))),
            ask("name-only", dial(load_balancer(former=True), client=pod("b")), Unanswered()),
            ask("name-only-node", dial(load_balancer(former=True), client=host("b")), Unanswered()),
            ask("cluster-ip", dial(cluster_ip(), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        covers=("D09",),
    ),
)
