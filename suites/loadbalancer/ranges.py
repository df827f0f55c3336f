"""loadBalancerSourceRanges: who may use the balancer's address, and what the ranges leave alone."""

from __future__ import annotations

from conformance.model.addresses import Family, Protocol
from conformance.model.case import (
    BOTH_FAMILIES,
    Answered,
    Breed,
    Case,
    IngressSpec,
    Level,
    PortSpec,
    Profile,
    SeenSource,
    Vantage,
    ask,
    axes,
    becomes,
    cluster_ip,
    dial,
    external,
    external_ip,
    host,
    load_balancer,
    node_port,
    node_port_secondary,
    nodes,
    on,
    pod,
    service,
    vantage,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped, Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CONNTRACK_CODE,
    EXTERNAL_POLICY,
    NFTABLES_CODE,
    NFTABLES_DIFFERENCES,
    NODE_PORT_ADDRESSES,
    SERVICE_PORT_CODE,
    SESSION_AFFINITY,
    SOURCE_RANGES,
)

LB = ServiceType.LOAD_BALANCER
VIP = (IngressSpec(),)
SCTP = axes(protocol=(Protocol.SCTP,))
NOBODY_V4, NOBODY_V6 = "198.18.0.0/15", "2001:2::/48"
"""The ranges for benchmarks (RFC 2544, RFC 5180): no client is in them."""
BOUND_PORTS = (PortSpec("tcp", Protocol.TCP, 4480), PortSpec("udp", Protocol.UDP, 4480))
"""A number that hardly any node uses: the address is a node's own."""

_INSIDE = service(
    LB,
    endpoints=on("a"),
    external_ip=True,
    ingress=VIP,
    source_ranges=(pod("a"), host("b")),
    called="lb-ranges",
)
_OUTSIDE = service(
    LB, endpoints=on("a"), external_ip=True, ingress=VIP, source_ranges=(external("a"),), called="lb-ranges-outside"
)
_SCTP = service(
    LB,
    endpoints=on("a", breed=Breed.RAW),
    ports=(PortSpec("sctp", Protocol.SCTP),),
    ingress=VIP,
    source_ranges=(pod("a"),),
    called="lb-26",
)
_BOUND = service(
    LB,
    endpoints=on("b"),
    ports=BOUND_PORTS,
    ingress=(IngressSpec(secondary_of="a"),),
    source_ranges=(host("a"),),
    called="lb-27",
)
_NOBODY = service(LB, endpoints=on("a"), ingress=VIP, source_ranges=(f" {NOBODY_V4}  ",), called="lb-ranges-nobody")
_EVERYBODY = service(
    LB,
    endpoints=on("a"),
    ingress=VIP,
    # Blanks around what lets everybody in: whoever does not understand it is left with the others.
    source_ranges=(NOBODY_V4, " 0.0.0.0/0 ", NOBODY_V6, " ::/0  "),
    called="lb-30",
)
_HALVES = service(
    LB,
    endpoints=on("a"),
    ingress=VIP,
    source_ranges=(
        *("0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", NOBODY_V4, "192.0.2.0/24", "192.0.2.7/32"),
        *("::/1", "8000::/1", "fd00::/8", "2001:db8::/32", "2001:db8::7/128"),
    ),
    called="lb-31",
)
_MOVED = service(LB, endpoints=on("a"), ingress=VIP, source_ranges=(pod("b"),), called="lb-32")
_LOCAL = service(
    LB,
    endpoints=on("a", "c"),
    external_policy=Policy.LOCAL,
    ingress=VIP,
    source_ranges=(external("a"), pod("b")),
    called="lb-33",
)
_STICKY = service(
    LB, endpoints=on("a", "b"), affinity=True, ingress=VIP, source_ranges=(pod("a"), host("c")), called="lb-34"
)
_EMPTY = service(LB, endpoints=on(), ingress=VIP, source_ranges=(pod("a"),), called="lb-ranges-empty")

CASES = (
    Case(
        id="LB-22",
        promise="Only pods in loadBalancerSourceRanges reach the balancer's address; others are dropped.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_IGNORED, Fault.SOURCE_RANGES_DROP_ALL, Fault.SOURCE_RANGES_SKIP_PODS),
        given=_INSIDE,
        steps=(
            ask("inside", dial(load_balancer(), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            ask("outside", dial(load_balancer(), client=pod("b")), Dropped()),
        ),
        needs=(nodes(2),),
        covers=("D10", "D11"),
    ),
    Case(
        id="LB-23",
        promise="Clients outside the cluster reach the balancer's address only from loadBalancerSourceRanges.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_IGNORED, Fault.SOURCE_RANGES_ELSEWHERE),
        given=_OUTSIDE,
        steps=(
            ask("inside", dial(load_balancer(), client=external("a")), Answered(on("a"), SeenSource.NODE)),
            ask("outside", dial(load_balancer(), client=external("c")), Dropped()),
            ask("node-port", dial(node_port("c"), client=external("c")), Answered(on("a"), SeenSource.NODE)),
            ask("external-ip", dial(external_ip(), client=external("c")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("C10", "D10", "D11", "D13", "L05"),
    ),
    Case(
        id="LB-24",
        promise="A node's own processes are subject to loadBalancerSourceRanges, by the node's address.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_SKIP_NODE, Fault.SOURCE_RANGES_IGNORED),
        given=_INSIDE,
        steps=(
            ask("inside", dial(load_balancer(), client=host("b")), Answered(on("a"), SeenSource.NODE)),
            ask("outside", dial(load_balancer(), client=host("a")), Dropped()),
        ),
        needs=(nodes(2),),
        covers=("D12",),
    ),
    Case(
        id="LB-25",
        promise="loadBalancerSourceRanges filter neither the ClusterIP nor node ports nor external IPs.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_ELSEWHERE,),
        given=_INSIDE,
        steps=(
            ask("cluster-ip", dial(cluster_ip(), client=pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            ask("node-port", dial(node_port("b"), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("external-ip", dial(external_ip(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        covers=("C10", "D13", "L05"),
    ),
    Case(
        id="LB-26",
        promise="loadBalancerSourceRanges hold for SCTP.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_IGNORED, Fault.ONE_PROTOCOL_MISSING),
        given=_SCTP,
        steps=(
            ask("inside", dial(load_balancer(), client=pod("a")), Answered(_SCTP.endpoints)),
            ask("outside", dial(load_balancer(), client=pod("b")), Dropped()),
        ),
        needs=(nodes(2),),
        across=SCTP,
        covers=("D11",),
    ),
    Case(
        id="LB-27",
        promise="A node in loadBalancerSourceRanges also reaches a balancer's address that is its own.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_FORGET_VIP,),
        given=_BOUND,
        when=dial(load_balancer(), client=host("a")),
        then=Answered(on("b"), SeenSource.NODE),
        needs=(nodes(2),),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("D12",),
    ),
    Case(
        id="LB-37",
        promise="In nftables mode node ports are not served at a balancer's address, though a node has it itself.",
        level=Level.SHOULD,
        sources=(NODE_PORT_ADDRESSES, NFTABLES_DIFFERENCES),
        catches=(Fault.NODE_PORT_ON_EVERY_ADDRESS,),
        given=_BOUND,
        when=dial(node_port_secondary("a"), client=pod("b")),
        then=Refused(),
        needs=(nodes(2),),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("B08",),
    ),
    Case(
        id="LB-28",
        promise="Blanks around a source range do not matter: the range is in force.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, SERVICE_PORT_CODE),
        catches=(Fault.SOURCE_RANGES_STRAY_BLANKS, Fault.SOURCE_RANGES_IGNORED),
        given=_NOBODY,
        steps=(
            ask("pod", dial(load_balancer(), client=pod("a")), Dropped()),
            ask("node", dial(load_balancer(), client=host("a")), Dropped()),
        ),
        across=axes(family=(Family.IPV4,)),
        covers=("D14",),
    ),
    Case(
        id="LB-29",
        promise="Source ranges of one family leave the balancer's address of the other family open.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, SERVICE_PORT_CODE),
        catches=(Fault.SOURCE_RANGES_DROP_ALL, Fault.ONE_FAMILY_MISSING),
        given=_NOBODY,
        when=dial(load_balancer(), client=pod("a")),
        then=Answered(on("a"), SeenSource.NODE),
        across=axes(family=(Family.IPV6,)),
        covers=("D14",),
    ),
    Case(
        id="LB-30",
        promise="A source range of everything lets everybody in, whatever other ranges there are.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, SERVICE_PORT_CODE),
        catches=(Fault.SOURCE_RANGES_DROP_ALL, Fault.SOURCE_RANGES_STRAY_BLANKS),
        given=_EVERYBODY,
        steps=(
            ask("pod", dial(load_balancer(), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            ask("node", dial(load_balancer(), client=host("a")), Answered(on("a"), SeenSource.NODE)),
        ),
        covers=("D14",),
    ),
    Case(
        id="LB-31",
        promise="Source ranges may overlap: who is in any of them is let in.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_DROP_ALL, Fault.NO_SERVICE_RULES),
        given=_HALVES,
        steps=(
            ask("pod", dial(load_balancer(), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            ask("node", dial(load_balancer(), client=host("a")), Answered(on("a"), SeenSource.NODE)),
        ),
        covers=("D14",),
    ),
    Case(
        id="LB-32",
        promise="Source ranges that change count for new connections at once; what is established lives on.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE, CONNTRACK_CODE),
        catches=(
            Fault.POLICY_CHANGE_NOT_FOLLOWED,
            Fault.FLOW_BROKEN,
            Fault.ESTABLISHED_CHECKED,
            Fault.SOURCE_RANGES_IGNORED,
        ),
        given=_MOVED,
        steps=(
            ask("held", dial(load_balancer(), client=pod("b"), flow="held"), Answered(on("a"), SeenSource.NODE)),
            ask("kept-out", dial(load_balancer(), client=pod("a")), Dropped()),
            becomes(_MOVED.but(source_ranges=(pod("a"),))),
            ask("held-on", dial(load_balancer(), client=pod("b"), flow="held"), Answered(on("a"), SeenSource.NODE)),
            ask("new", dial(load_balancer(), client=pod("b")), Dropped()),
            ask("let-in", dial(load_balancer(), client=pod("a")), Answered(on("a"), SeenSource.NODE)),
            becomes(_MOVED.but(source_ranges=())),
            ask("open", dial(load_balancer(), client=pod("b")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        covers=("D15", "D16"),
    ),
    Case(
        id="LB-33",
        promise="Source ranges hold with externalTrafficPolicy Local, also for the pods that the policy spares.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_IGNORED, Fault.LOCAL_POLICY_MASQUERADES, Fault.SOURCE_RANGES_SKIP_PODS),
        given=_LOCAL,
        steps=(
            ask("inside", dial(load_balancer(), client=external("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("outside", dial(load_balancer(), client=external("c")), Dropped()),
            ask("pod-inside", dial(load_balancer(), client=pod("b")), Answered(on("a", "c"), SeenSource.CLIENT)),
            ask("pod-outside", dial(load_balancer(), client=pod("c")), Dropped()),
        ),
        needs=(nodes(3), vantage(Vantage.EXTERNAL)),
        covers=("D17",),
    ),
    Case(
        id="LB-34",
        promise="Source ranges hold with session affinity, and whoever is let in sticks to an endpoint.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, SESSION_AFFINITY),
        catches=(Fault.SOURCE_RANGES_IGNORED, Fault.AFFINITY_IGNORED),
        given=_STICKY,
        steps=(
            ask("inside", dial(load_balancer(), client=pod("a")), Answered(on("a", "b"), SeenSource.NODE, sticky=True)),
            ask("node-inside", dial(load_balancer(), client=host("c")), Answered(on("a", "b"), sticky=True)),
            ask("outside", dial(load_balancer(), client=pod("b")), Dropped()),
        ),
        needs=(nodes(3),),
        covers=("D17",),
    ),
    Case(
        id="LB-35",
        promise="Whoever is in the source ranges of a Service without endpoints is refused.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=_EMPTY,
        when=dial(load_balancer(), client=pod("a")),
        then=Refused(RefusedBy.ICMP),
        covers=("D17",),
    ),
    Case(
        id="LB-36",
        promise="In nftables mode whoever is in no source range is dropped even where there are no endpoints.",
        level=Level.SHOULD,
        sources=(SOURCE_RANGES, NFTABLES_CODE),
        catches=(Fault.SOURCE_RANGES_IGNORED,),
        given=_EMPTY,
        steps=(
            ask("pod", dial(load_balancer(), client=pod("b")), Dropped()),
            ask("node", dial(load_balancer(), client=host("a")), Dropped()),
        ),
        needs=(nodes(2),),
        across=axes(family=BOTH_FAMILIES),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("D17",),
    ),
)
