"""External IPs that go, that a node has itself, or that several Services have."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Breed,
    Case,
    IngressSpec,
    Level,
    PortSpec,
    Says,
    SeenSource,
    Vantage,
    ask,
    axes,
    becomes,
    cluster_ip,
    dial,
    endpoint,
    external,
    external_ip,
    host,
    load_balancer,
    nodes,
    on,
    pod,
    proxy_page,
    service,
    vantage,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped, Unanswered
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    EXTERNAL_IPS,
    EXTERNAL_POLICY,
    HEALTHZ,
    NFTABLES_CODE,
    SERVICE_PORTS,
    SOURCE_RANGES,
)

NODES_OWN = (PortSpec("tcp", Protocol.TCP, 4481), PortSpec("udp", Protocol.UDP, 4481))
"""A number that hardly any node uses: the external IP is a node's own address."""
OTHER = (PortSpec("tcp", Protocol.TCP, 81), PortSpec("udp", Protocol.UDP, 81))

_SCTP = service(
    endpoints=on("a", breed=Breed.RAW), ports=(PortSpec("sctp", Protocol.SCTP),), external_ip=True, called="eip-06"
)
_OF_NODE = service(endpoints=on("b"), ports=NODES_OWN, external_ip_of="a", called="eip-07")
_REMOVED = service(endpoints=on("a"), external_ip=True, called="eip-08")
_ONE = service(endpoints=on("a"), external_ip=True, called="eip-09")
_TWO = service(endpoints=on("b"), ports=OTHER, external_ip=True, shares_external_ip_of="eip-09", called="eip-09-other")
_FIRST = service(endpoints=on("a", "b"), external_ip=True, called="eip-10")
_RIVAL = service(endpoints=on("c"), external_ip=True, shares_external_ip_of="eip-10", called="eip-10-rival")
_STAYS = service(endpoints=on("a", "b"), external_ip=True, called="eip-10-stays")
_GOES = service(endpoints=on("c"), external_ip=True, shares_external_ip_of="eip-10-stays", called="eip-10-goes")
_BESIDE = service(endpoints=on("a"), external_ip=True, called="eip-10-beside")
_LOCAL = service(endpoints=on("a"), external_ip=True, external_policy=Policy.LOCAL)
_RANGED = service(
    ServiceType.LOAD_BALANCER,
    endpoints=on("a"),
    external_ip=True,
    ingress=(IngressSpec(),),
    source_ranges=(pod("a"),),
    called="eip-12",
)

CASES = (
    Case(
        id="EIP-06",
        promise="SCTP reaches the endpoints at an external IP, from outside the cluster, from pods and from nodes.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS,),
        catches=(Fault.EXTERNAL_IP_NOT_SERVED, Fault.ONE_PROTOCOL_MISSING),
        given=_SCTP,
        steps=(
            ask("outside", dial(external_ip(), client=external()), Answered(_SCTP.endpoints, SeenSource.NODE)),
            ask("pod", dial(external_ip(), client=pod("b")), Answered(_SCTP.endpoints, SeenSource.NODE)),
            ask("node", dial(external_ip(), client=host("b")), Answered(_SCTP.endpoints, SeenSource.NODE)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=axes(protocol=(Protocol.SCTP,)),
        covers=("C02",),
    ),
    Case(
        id="EIP-07",
        promise="An external IP that is a node's own address is served at the Service's port, from everywhere.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS,),
        catches=(Fault.EXTERNAL_IP_NOT_SERVED,),
        given=_OF_NODE,
        steps=(
            ask("outside", dial(external_ip(), client=external()), Answered(on("b"), SeenSource.NODE)),
            ask("pod", dial(external_ip(), client=pod("b")), Answered(on("b"), SeenSource.NODE)),
            ask("endpoint", dial(external_ip(), client=endpoint("b")), Answered(on("b"), SeenSource.NODE)),
            ask("node", dial(external_ip(), client=host("a")), Answered(on("b"), SeenSource.NODE)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("C05",),
    ),
    Case(
        id="EIP-08",
        promise="An external IP that is taken away from a Service is not served any more.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS,),
        catches=(Fault.OLD_ADDRESS_SERVED,),
        given=_REMOVED,
        steps=(
            ask("before", dial(external_ip(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            becomes(_REMOVED.but(external_ip=False)),
            ask("outside", dial(external_ip(former=True), client=external()), Unanswered()),
            ask("pod", dial(external_ip(former=True), client=pod("b")), Unanswered()),
            ask("node", dial(external_ip(former=True), client=host("b")), Unanswered()),
            ask("cluster-ip", dial(cluster_ip(), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            becomes(_REMOVED),
            ask("back", dial(external_ip(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("C06",),
    ),
    Case(
        id="EIP-09",
        promise="Two Services may have one external IP, each its own ports.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS, SERVICE_PORTS),
        catches=(Fault.SHARED_ADDRESS_MIXED_UP, Fault.OLD_ADDRESS_SERVED),
        given=(_ONE, _TWO),
        steps=(
            ask("one", dial(external_ip("eip-09"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("other", dial(external_ip("eip-09-other"), client=pod("b")), Answered(on("b"), SeenSource.NODE)),
            ask("other-outside", dial(external_ip("eip-09-other"), client=external()), Answered(on("b"))),
            becomes(_ONE),
            ask("one-alone", dial(external_ip("eip-09"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("other-gone", dial(external_ip("eip-09-other"), client=pod("b")), Unanswered()),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("C07",),
    ),
    Case(
        id="EIP-10",
        promise="Two Services that claim one external IP and port harm no other; one is served, and alone once alone.",
        level=Level.SHOULD,
        sources=(EXTERNAL_IPS, NFTABLES_CODE),
        catches=(Fault.CONFLICT_STOPS_SYNC, Fault.OLD_ADDRESS_SERVED),
        given=(_FIRST, _RIVAL, _STAYS, _GOES, _BESIDE),
        steps=(
            ask("contested", dial(external_ip("eip-10"), client=pod("b")), Answered(on("a", "b", "c"))),
            ask("rival-alive", dial(cluster_ip("eip-10-rival"), client=pod("b")), Answered(on("c"))),
            ask("beside", dial(external_ip("eip-10-beside"), client=pod("b")), Answered(on("a"))),
            becomes(_FIRST, _RIVAL, _STAYS, _GOES, _BESIDE.but(endpoints=on("b"))),
            ask("contested-on", dial(external_ip("eip-10"), client=host("b")), Answered(on("a", "b", "c"))),
            ask("beside-changed", dial(external_ip("eip-10-beside"), client=pod("b")), Answered(on("b"))),
            becomes(_RIVAL, _STAYS, _BESIDE.but(endpoints=on("b"))),
            ask("rival-wins", dial(external_ip("eip-10-rival"), client=pod("b")), Answered(on("c"))),
            ask("first-wins", dial(external_ip("eip-10-stays"), client=pod("b")), Answered(on("a", "b"))),
        ),
        needs=(nodes(3),),
        covers=("C08",),
    ),
    Case(
        id="EIP-11",
        promise="With externalTrafficPolicy Local, pods and nodes without endpoints are served at an external IP.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS, EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(
            Fault.LOCAL_POLICY_NO_SHORT_CIRCUIT,
            Fault.ENDPOINTS_MISSED_TOO_EARLY,
            Fault.PODS_TAKEN_FOR_OUTSIDERS,
            Fault.LOCAL_POLICY_FORGETS_NODES,
        ),
        given=_LOCAL,
        steps=(
            ask("pod", dial(external_ip(), client=pod("c")), Answered(on("a"), SeenSource.CLIENT)),
            ask("node", dial(external_ip(), client=host("c")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(3),),
        covers=("C09", "G07", "G09"),
    ),
    Case(
        id="EIP-12",
        promise="loadBalancerSourceRanges say nothing about the same Service's external IP.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_ELSEWHERE, Fault.SOURCE_RANGES_IGNORED),
        given=_RANGED,
        steps=(
            ask("pod", dial(external_ip(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("node", dial(external_ip(), client=host("b")), Answered(on("a"), SeenSource.NODE)),
            ask("outside", dial(external_ip(), client=external()), Answered(on("a"), SeenSource.NODE)),
            ask("balancer-outside", dial(load_balancer(), client=external()), Dropped()),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("C10", "L05"),
    ),
    Case(
        id="EIP-13",
        promise="An external IP that is a node's own address leaves the node's other ports alone.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS, HEALTHZ),
        catches=(Fault.EXTERNAL_IP_TAKES_NODE,),
        given=_OF_NODE,
        steps=(
            ask("pod", dial(proxy_page("a", "healthz"), client=pod("b")), Says(200)),
            ask("node", dial(proxy_page("a", "healthz"), client=host("b")), Says(200)),
        ),
        needs=(nodes(2),),
        across=axes(protocol=()),
        covers=("C05",),
    ),
)
