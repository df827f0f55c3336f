"""When a client that session affinity ties must go to another endpoint, and where it stays then."""

from __future__ import annotations

from conformance.model.case import (
    Breed,
    Case,
    DestinationRef,
    Dialling,
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
from suites.affinity.ties import TCP, ports

(A,), (B,) = on("a"), on("b")
_EITHER = Pinned((A, B))
_TIED = service(endpoints=on("a", "b"), affinity=True, ports=ports())

_LEFT = _TIED.but(called="aff-15")
_BY_HAND = _TIED.but(endpoints=(), slices=(by_hand(EndpointSpec(A), EndpointSpec(B)),))
_FAILING, _CHOSEN = _BY_HAND.but(called="aff-16"), _BY_HAND.but(called="aff-17")
_INTERNAL = _TIED.but(called="aff-18")
_LOCAL = (*on("a"), *on("a", breed=Breed.ALT))
_BALANCED = service(
    ServiceType.LOAD_BALANCER,
    endpoints=(*_LOCAL, *on("b")),
    affinity=True,
    external_policy=Policy.LOCAL,
    ingress=(IngressSpec(),),
    ports=ports(10, target="tcp"),  # two of three endpoints are right
    called="aff-19",
)

_FROM_A = dial(cluster_ip(), client=pod("a"), rounds=(0,), pin="pod")


def _outside(destination: DestinationRef, *rounds: float) -> Dialling:
    return dial(destination, client=external("a"), rounds=rounds, pin="outside")


MOVES = (
    Case(
        id="AFF-15",
        promise="A client whose endpoint leaves the Service goes to another one at once, and stays there.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, VIRTUAL_IPS),
        catches=(Fault.STALE_ENDPOINT, Fault.AFFINITY_FORGOTTEN, Fault.STALE_AFFINITY),
        given=_LEFT,
        steps=(
            ask("before", _FROM_A, _EITHER),
            becomes(_LEFT.but(endpoints=on("b"))),
            ask("moved", _FROM_A, Pinned((B,))),
            becomes(_LEFT),
            ask("returned", _FROM_A, Pinned((B,), stays=True)),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F15",),
    ),
    Case(
        id="AFF-16",
        promise="A client whose endpoint is not ready any more, or is terminating, goes to another one at once.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, READY, TERMINATING),
        catches=(Fault.NOT_READY_CHOSEN, Fault.STALE_ENDPOINT),
        given=_FAILING,
        steps=(
            ask("before", _FROM_A, _EITHER),
            becomes(_FAILING.but(slices=(by_hand(EndpointSpec(A, ready=False), EndpointSpec(B)),))),
            ask("not-ready", _FROM_A, Pinned((B,))),
            becomes(_FAILING.but(slices=(by_hand(EndpointSpec(A), draining(B)),))),
            ask("terminating", _FROM_A, Pinned((A,))),
        ),
        needs=(nodes(2),),
        across=TCP,
        covers=("F15",),
    ),
    Case(
        id="AFF-17",
        promise="A client stays at its endpoint when all terminate but still serve, and leaves it when hints say so.",
        level=Level.SHOULD,
        sources=(SESSION_AFFINITY, TERMINATING_ENDPOINTS, HINTS, TOPOLOGY_HINTS_KEP),
        catches=(Fault.TERMINATING_NOT_USED, Fault.AFFINITY_FORGOTTEN, Fault.HINTS_IGNORED),
        given=_CHOSEN,
        steps=(
            ask("before", _FROM_A, _EITHER),
            becomes(_CHOSEN.but(slices=(by_hand(draining(A), draining(B)),))),
            ask("draining", _FROM_A, Pinned((A, B), stays=True)),
            becomes(
                _CHOSEN.but(slices=(by_hand(EndpointSpec(A, hint_zones=("a",)), EndpointSpec(B, hint_zones=("b",))),))
            ),
            ask("hinted", _FROM_A, Pinned((A,))),
        ),
        needs=(nodes(2), zones(2)),
        across=TCP,
        covers=("F18",),
    ),
    Case(
        id="AFF-18",
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
        id="AFF-19",
        promise="With externalTrafficPolicy Local a client is tied to a local endpoint even if it was to a remote one.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, EXTERNAL_POLICY, NFTABLES_CODE),
        catches=(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE, Fault.AFFINITY_IGNORED, Fault.AFFINITY_FORGOTTEN),
        given=_BALANCED,
        steps=(
            ask("clusterIP", _outside(cluster_ip(), 0), Pinned(_BALANCED.endpoints)),
            becomes(_BALANCED),
            ask("loadBalancer", _outside(load_balancer(), 0, 1.5), Pinned(_LOCAL)),
            becomes(_BALANCED),
            ask("nodePort", _outside(node_port("a"), 0), Pinned(_LOCAL, stays=True)),
            ask("clusterIP-again", _outside(cluster_ip(), 0), Pinned(_BALANCED.endpoints)),
        ),
        needs=(nodes(2), vantage(Vantage.EXTERNAL)),
        across=TCP,
        covers=("F16", "F17"),
    ),
)
