"""A Service changes under way: what it was is gone at once, what it still is goes on."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    BOTH,
    Answered,
    Case,
    EndpointSpec,
    IngressSpec,
    Level,
    Matrix,
    PortSpec,
    SlicePort,
    ask,
    axes,
    becomes,
    by_hand,
    cluster_ip,
    dial,
    external_ip,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
)
from conformance.model.kube import ServiceType
from conformance.model.outcome import Refused, RefusedBy, Unanswered
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CLUSTER_IP,
    CONNTRACK_CODE,
    EXTERNAL_IPS,
    NFTABLES_CODE,
    SERVICE_PORTS,
    SESSION_AFFINITY,
)

LB = ServiceType.LOAD_BALANCER
TCP, UDP = Protocol.TCP, Protocol.UDP
_MORE = (PortSpec("tcp-more", TCP, 81), PortSpec("udp-more", UDP, 81))

_PREDECESSOR = service(endpoints=on("a"), called="chg-01", affinity=True)
_HEIR = service(endpoints=on("b"), called="chg-01-heir", affinity=True, reuses="chg-01")
_LAST_HEIR = service(endpoints=on("a", "b"), called="chg-01-last", reuses="chg-01")
_LEAVING = service(endpoints=on("a"), called="chg-02")
_TAKING = service(endpoints=on("b"), called="chg-02-heir", reuses="chg-02")
_RENUMBERED = service(LB, on("a"), called="chg-03", external_ip=True, ingress=(IngressSpec(),))
_TCP_FIRST = service(endpoints=on("a"), called="chg-04", ports=(PortSpec("web", TCP),))
(_A,) = on("a")
_NEW_NAMES = (PortSpec("web-tcp", TCP), PortSpec("web-udp", UDP))
# Slices that have both names: else there are no endpoints of the new ones until the controller follows.
_BOTH_NAMES = tuple(SlicePort(p.name, p.protocol) for p in (*BOTH, *_NEW_NAMES))
_RENAMED = service(ServiceType.NODE_PORT, called="chg-06", slices=(by_hand(EndpointSpec(_A), ports=_BOTH_NAMES),))
_SHRINKING = service(endpoints=on("a"), called="chg-07", ports=(*BOTH, *_MORE))

CASES = (
    Case(
        id="CHG-01",
        promise="A new Service that gets the ClusterIP of a deleted one inherits neither endpoints nor affinity.",
        level=Level.MUST,
        sources=(CLUSTER_IP, SESSION_AFFINITY),
        catches=(Fault.STALE_SERVICE,),
        given=_PREDECESSOR,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b")), Answered(on("a"), sticky=True)),
            becomes(_HEIR),
            ask("heir", dial(cluster_ip("chg-01-heir"), client=pod("b")), Answered(on("b"), sticky=True)),
            becomes(_LAST_HEIR),
            ask("last", dial(cluster_ip("chg-01-last"), client=pod("b")), Answered(on("a", "b"))),
        ),
        needs=(nodes(2),),
        covers=("P03",),
    ),
    Case(
        id="CHG-02",
        promise="A UDP flow to a ClusterIP that passes to a new Service goes to the new Service's endpoints.",
        level=Level.MUST,
        sources=(CLUSTER_IP, CONNTRACK_CODE),
        catches=(Fault.STALE_FLOWS, Fault.STALE_SERVICE),
        given=_LEAVING,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="udp"), Answered(on("a"))),
            becomes(_TAKING),
            ask("after", dial(cluster_ip("chg-02-heir"), client=pod("b"), flow="udp"), Answered(on("b"))),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(UDP,)),
        covers=("P03",),
    ),
    Case(
        id="CHG-03",
        promise="When a Service's port number changes, every address is served at the new one and no more at the old.",
        level=Level.MUST,
        sources=(SERVICE_PORTS, EXTERNAL_IPS),
        catches=(Fault.STALE_PORT, Fault.NO_SERVICE_RULES),
        given=_RENUMBERED,
        steps=(
            ask("before-clusterIP", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask("before-loadBalancer", dial(load_balancer(), client=pod("b")), Answered(on("a"))),
            ask("before-externalIP", dial(external_ip(), client=pod("b")), Answered(on("a"))),
            becomes(_RENUMBERED.but(ports=(PortSpec("tcp", TCP, 81), PortSpec("udp", UDP, 81)))),
            ask("old-clusterIP", dial(cluster_ip(former=True), client=pod("b")), Refused(RefusedBy.ICMP)),
            ask("old-loadBalancer", dial(load_balancer(former=True), client=pod("b")), Unanswered()),
            ask("old-externalIP", dial(external_ip(former=True), client=pod("b")), Unanswered()),
            ask("new-clusterIP", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask("new-loadBalancer", dial(load_balancer(), client=pod("b")), Answered(on("a"))),
            ask("new-externalIP", dial(external_ip(), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("P04",),
    ),
    Case(
        id="CHG-04",
        promise="A port whose protocol becomes UDP is not served over TCP any more.",
        level=Level.MUST,
        sources=(SERVICE_PORTS, NFTABLES_CODE),
        catches=(Fault.STALE_PORT,),
        given=_TCP_FIRST,
        steps=(
            ask("before", dial(cluster_ip(port="web"), client=pod("b")), Answered(on("a"))),
            becomes(_TCP_FIRST.but(ports=(PortSpec("web", UDP),))),
            ask("after", dial(cluster_ip(port="web"), client=pod("b")), Refused(RefusedBy.ICMP)),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(TCP,)),
        covers=("P05",),
    ),
    Case(
        id="CHG-05",
        promise="A port whose protocol becomes UDP is served over UDP from then on.",
        level=Level.MUST,
        sources=(SERVICE_PORTS, NFTABLES_CODE),
        catches=(Fault.ONE_PROTOCOL_MISSING,),
        given=_TCP_FIRST.but(called="chg-05"),
        steps=(
            ask("before", dial(cluster_ip(port="web"), client=pod("b"), flow="udp"), Refused(RefusedBy.ICMP)),
            becomes(_TCP_FIRST.but(called="chg-05", ports=(PortSpec("web", UDP),))),
            ask("after", dial(cluster_ip(port="web"), client=pod("b"), flow="udp"), Answered(on("a"))),
            ask("after-new", dial(cluster_ip(port="web"), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(UDP,)),
        covers=("P05",),
    ),
    Case(
        id="CHG-06",
        promise="A port that only gets another name is served on: new flows and those that are established.",
        level=Level.MUST,
        sources=(SERVICE_PORTS, CONNTRACK_CODE),
        catches=(Fault.NO_SERVICE_RULES, Fault.ONE_PORT_MISSING),
        given=_RENAMED,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            ask("before-nodePort", dial(node_port("b"), client=pod("b"), flow="node"), Answered(on("a"))),
            # The API server gives a port of another name another node port, unless told the old one.
            becomes(_RENAMED.but(ports=_NEW_NAMES, reuses="chg-06")),
            ask("after", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            ask("after-nodePort", dial(node_port("b"), client=pod("b"), flow="node"), Answered(on("a"))),
            ask("new", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask("new-nodePort", dial(node_port("b"), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("P05",),
    ),
    Case(
        id="CHG-07",
        promise="When a Service loses one of its ports, that one is not served any more and the others go on.",
        level=Level.MUST,
        sources=(SERVICE_PORTS, NFTABLES_CODE),
        catches=(Fault.STALE_PORT, Fault.ONE_PORT_MISSING, Fault.PARTIAL_SYNC_FORGETS),
        given=_SHRINKING,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            ask("before-more", dial(cluster_ip(port="tcp-more"), client=pod("b")), Answered(on("a"))),
            becomes(_SHRINKING.but(ports=BOTH)),
            ask("after", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            ask("after-new", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask(
                "after-more",
                dial(cluster_ip(port="tcp-more", former=True), client=pod("b")),
                Refused(RefusedBy.ICMP),
            ),
        ),
        needs=(nodes(2),),
        covers=("P06",),
    ),
)

MATRICES: tuple[Matrix, ...] = ()
