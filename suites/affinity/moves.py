"""When a client that session affinity ties must go to another endpoint, and where it stays then."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Breed,
    Case,
    EndpointSpec,
    IngressSpec,
    Level,
    Pinned,
    Vantage,
    ask,
    becomes,
    by_hand,
    cluster_ip,
    dial,
    draining,
    external,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
    vantage,
    zones,
)
from conformance.model.kube import Policy, ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    EXTERNAL_POLICY,
    HINTS,
    INTERNAL_POLICY,
    NFTABLES_CODE,
    READY,
    SESSION_AFFINITY,
    TERMINATING,
    TERMINATING_ENDPOINTS,
    TOPOLOGY_HINTS_KEP,
    VIRTUAL_IPS,
)
from suites.affinity.ties import TCP, many

(A,), (B,) = on("a"), on("b")
_EITHER = Pinned((A, B))
_SAME = Pinned((A, B), stays=True)
_TIED = service(endpoints=on("a", "b"), affinity=True, ports=many(Protocol.TCP))

_DELETED = _TIED.but(called="aff-15", ports=many(Protocol.TCP, Protocol.UDP))
_BY_HAND = _TIED.but(endpoints=(), slices=(by_hand(EndpointSpec(A), EndpointSpec(B)),))
_UNREADY = _BY_HAND.but(called="aff-16")
_ENDING = _BY_HAND.but(called="aff-17")
_HINTED = _BY_HAND.but(called="aff-18")
_LAST = _BY_HAND.but(called="aff-20")
_INTERNAL = _TIED.but(called="aff-21")
_EXTERNAL = _TIED.but(called="aff-22", type=ServiceType.NODE_PORT, external_policy=Policy.LOCAL)
_TWO_LOCAL = (*on("a"), *on("a", breed=Breed.ALT))
_BALANCED = service(
    ServiceType.LOAD_BALANCER,
    endpoints=(*_TWO_LOCAL, *on("b")),
    affinity=True,
    external_policy=Policy.LOCAL,
    ingress=(IngressSpec(),),
    ports=many(Protocol.TCP, Protocol.UDP, target="tcp"),
    called="aff-23",
)

_FROM_A = dial(cluster_ip(), client=pod("a"), rounds=(0,), pin="pod")
_OUTSIDE_IN = dial(cluster_ip(), client=external("a"), rounds=(0,), pin="outside")
_OUTSIDE = dial(node_port("a"), client=external("a"), rounds=(0,), pin="outside")

MOVES = (
    Case(
        id="AFF-15",
        promise="A client whose endpoint leaves the Service goes to another one at once, and stays there.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, VIRTUAL_IPS),
        catches=(Fault.STALE_ENDPOINT, Fault.AFFINITY_FORGOTTEN),
        given=_DELETED,
        steps=(
            ask("before", _FROM_A, _EITHER),
            becomes(_DELETED.but(endpoints=on("b"))),
            ask("moved", _FROM_A, Pinned((B,))),
            becomes(_DELETED),
            ask("returned", _FROM_A, Pinned((B,), stays=True)),
        ),
        needs=(nodes(2),),
        covers=("F15",),
    ),
    Case(
        id="AFF-16",
        promise="A client whose endpoint is not ready any more goes to another one at once, and stays there.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, READY),
        catches=(Fault.NOT_READY_CHOSEN, Fault.AFFINITY_FORGOTTEN),
        given=_UNREADY,
        steps=(
            ask("before", _FROM_A, _EITHER),
            becomes(_UNREADY.but(slices=(by_hand(EndpointSpec(A, ready=False), EndpointSpec(B)),))),
            ask("moved", _FROM_A, Pinned((B,))),
            becomes(_UNREADY),
            ask("returned", _FROM_A, Pinned((B,), stays=True)),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F15",),
    ),
    Case(
        id="AFF-17",
        promise="A client whose endpoint is terminating goes to another one with its next connection.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, TERMINATING),
        catches=(Fault.STALE_ENDPOINT,),
        given=_ENDING,
        steps=(
            ask("before", _FROM_A, _EITHER),
            becomes(_ENDING.but(slices=(by_hand(draining(A), EndpointSpec(B)),))),
            ask("moved", _FROM_A, Pinned((B,))),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F15",),
    ),
    Case(
        id="AFF-18",
        promise="A client that is tied to an endpoint of another zone goes to its own zone's once there are hints.",
        level=Level.SHOULD,
        sources=(SESSION_AFFINITY, HINTS, TOPOLOGY_HINTS_KEP),
        catches=(Fault.HINTS_IGNORED,),
        given=_HINTED,
        steps=(
            ask("before", _FROM_A, _EITHER),
            becomes(
                _HINTED.but(slices=(by_hand(EndpointSpec(A, hint_zones=("a",)), EndpointSpec(B, hint_zones=("b",))),))
            ),
            ask("hinted", _FROM_A, Pinned((A,))),
            becomes(_HINTED),
            ask("without", _FROM_A, Pinned((A,), stays=True)),
        ),
        needs=(nodes(2), zones(2)),
        across=TCP,
        covers=("F18",),
    ),
    Case(
        id="AFF-20",
        promise="A client stays with its endpoint when all of the Service's endpoints are terminating but still serve.",
        level=Level.SHOULD,
        sources=(SESSION_AFFINITY, TERMINATING_ENDPOINTS),
        catches=(Fault.TERMINATING_NOT_USED, Fault.AFFINITY_FORGOTTEN),
        given=_LAST,
        steps=(
            ask("before", _FROM_A, _EITHER),
            becomes(_LAST.but(slices=(by_hand(draining(A), draining(B)),))),
            ask("draining", _FROM_A, _SAME),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F18",),
    ),
    Case(
        id="AFF-21",
        promise="When internalTrafficPolicy becomes Local, a client goes to a local endpoint and stays there then.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, INTERNAL_POLICY),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE, Fault.AFFINITY_FORGOTTEN),
        given=_INTERNAL,
        steps=(
            ask("cluster", _FROM_A, _EITHER),
            becomes(_INTERNAL.but(internal_policy=Policy.LOCAL)),
            ask("local", _FROM_A, Pinned((A,))),
            becomes(_INTERNAL),
            ask("again", _FROM_A, Pinned((A,), stays=True)),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F17",),
    ),
    Case(
        id="AFF-22",
        promise="A client tied to a remote endpoint gets a local one at an address of externalTrafficPolicy Local.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, Fault.AFFINITY_FORGOTTEN),
        given=_EXTERNAL,
        steps=(
            ask("clusterIP", _OUTSIDE_IN, _EITHER),
            becomes(_EXTERNAL),
            ask("nodePort", _OUTSIDE, Pinned((A,))),
            becomes(_EXTERNAL),
            ask("stays", _OUTSIDE, Pinned((A,), stays=True)),
            ask("clusterIP-again", _OUTSIDE_IN, _EITHER),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=TCP,
        covers=("F17",),
    ),
    Case(
        id="AFF-23",
        promise="With externalTrafficPolicy Local a client is tied to one of the node's own endpoints.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, EXTERNAL_POLICY),
        catches=(Fault.AFFINITY_IGNORED, Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE),
        given=_BALANCED,
        when=dial(load_balancer(), client=external("a"), rounds=(0, 2), pin="outside"),
        then=Pinned(_TWO_LOCAL),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        covers=("F16",),
    ),
)
