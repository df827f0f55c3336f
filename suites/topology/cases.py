"""Topology: endpoints near the client where everybody can be served near, and all endpoints where not."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    EndpointSpec,
    IngressSpec,
    Level,
    Matrix,
    Vantage,
    ask,
    becomes,
    by_hand,
    cluster_ip,
    dial,
    external,
    external_ip,
    host,
    load_balancer,
    node_port,
    nodes,
    on,
    pod,
    service,
    since,
    vantage,
    zones,
)
from conformance.model.kube import ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    HINTS,
    PREFER_SAME_KEP,
    TOPOLOGY_CODE,
    TOPOLOGY_HINTS_KEP,
    TRAFFIC_DISTRIBUTION,
)

LB = ServiceType.LOAD_BALANCER
NP = ServiceType.NODE_PORT
(_A,), (_B,) = on("a"), on("b")
FEW = 25
NEAR_A, NEAR_B, ANY = Answered(on("a")), Answered(on("b")), Answered(on("a", "b"))


def _zone(backend_role: str, *hinted: str) -> EndpointSpec:
    return EndpointSpec(on(backend_role)[0], hint_zones=hinted)


def _node(backend_role: str, *hinted: str, zones: tuple[str, ...] = ()) -> EndpointSpec:
    return EndpointSpec(on(backend_role)[0], hint_nodes=hinted, hint_zones=zones)


_ZONES = service(
    LB, external_ip=True, ingress=(IngressSpec(),), slices=(by_hand(_zone("a", "a"), _zone("b", "b")),), called="top-01"
)
_NODES = service(NP, slices=(by_hand(_node("a", "a"), _node("b", "b")),), called="top-02")
_ONE_LACKS = service(NP, slices=(by_hand(_zone("a", "a"), EndpointSpec(_B)),), called="top-03-lacks")
_NONE_MEANT = service(NP, slices=(by_hand(_zone("a", "b"), _zone("b", "b")),), called="top-03-none")
_UNREADY_LACKS = service(
    slices=(by_hand(_zone("a", "a"), _zone("b", "b"), EndpointSpec(on("c")[0], ready=False)),), called="top-04"
)
_NODE_LACKS = service(NP, slices=(by_hand(_node("a", "a"), EndpointSpec(_B)),), called="top-05-lacks")
_NODE_NONE = service(slices=(by_hand(_node("a", "b"), _node("b", "b")),), called="top-05-none")
_BOTH_KINDS = service(slices=(by_hand(_node("a", "b", zones=("a",)), _node("b", "b", zones=("b",))),), called="top-06")
_LIVE = service(slices=(by_hand(_zone("a", "a"), _zone("b", "b")),), called="top-07")
_CLOSE, _SAME_ZONE, _SAME_NODE = (
    service(NP, endpoints=on("a", "b"), traffic_distribution=word, called=name)
    for word, name in (
        ("PreferClose", "top-08"),
        ("PreferSameZone", "top-11-zone"),
        ("PreferSameNode", "top-11-node"),
    )
)
_FALLS = service(NP, endpoints=on("a", "b"), traffic_distribution="PreferSameNode", called="top-09")

CASES = (
    Case(
        id="TOP-01",
        promise="Where every endpoint has a zone hint, each node uses those for its own zone, at every address.",
        level=Level.SHOULD,
        sources=(HINTS, TOPOLOGY_HINTS_KEP),
        catches=(Fault.HINTS_IGNORED,),
        given=_ZONES,
        steps=(
            ask("pod-a", dial(cluster_ip(), client=pod("a"), times=FEW), NEAR_A),
            ask("pod-b", dial(cluster_ip(), client=pod("b"), times=FEW), NEAR_B),
            ask("node-b", dial(cluster_ip(), client=host("b"), times=FEW), NEAR_B),
            ask("port-a", dial(node_port("a"), client=pod("a"), times=FEW), NEAR_A),
            ask("port-b", dial(node_port("b"), client=host("a"), times=FEW), NEAR_B),
            ask("balancer", dial(load_balancer(), client=pod("b"), times=FEW), NEAR_B),
            ask("external", dial(external_ip(), client=pod("b"), times=FEW), NEAR_B),
        ),
        needs=(nodes(2), zones(2)),
        covers=("M02", "M04"),
    ),
    Case(
        id="TOP-02",
        promise="Where every endpoint has a node hint, each node uses those for itself, at every address.",
        level=Level.SHOULD,
        sources=(HINTS, PREFER_SAME_KEP),
        catches=(Fault.HINTS_IGNORED,),
        given=_NODES,
        steps=(
            ask("pod-a", dial(cluster_ip(), client=pod("a"), times=FEW), NEAR_A),
            ask("pod-b", dial(cluster_ip(), client=pod("b"), times=FEW), NEAR_B),
            ask("node-a", dial(cluster_ip(), client=host("a"), times=FEW), NEAR_A),
            ask("port-b", dial(node_port("b"), client=pod("b"), times=FEW), NEAR_B),
        ),
        needs=(nodes(2), since(1, 34)),
        covers=("M02", "M04"),
    ),
    Case(
        id="TOP-03",
        promise="Zone hints are ignored where a ready endpoint has none, and where none is for the node's zone.",
        level=Level.SHOULD,
        sources=(HINTS, TOPOLOGY_HINTS_KEP, TOPOLOGY_CODE),
        catches=(Fault.HINTS_NOT_DROPPED,),
        given=(_ONE_LACKS, _NONE_MEANT),
        steps=(
            ask("lacks", dial(cluster_ip("top-03-lacks"), client=pod("a")), ANY),
            ask("lacks-port", dial(node_port("a", "top-03-lacks"), client=host("b")), ANY),
            ask("none", dial(cluster_ip("top-03-none"), client=pod("a")), ANY),
            ask("none-port", dial(node_port("a", "top-03-none"), client=host("b")), ANY),
        ),
        needs=(nodes(2), zones(2)),
        covers=("M03",),
    ),
    Case(
        id="TOP-04",
        promise="An endpoint without a hint that is not ready does not make the other ones' hints void.",
        level=Level.SHOULD,
        sources=(HINTS, TOPOLOGY_CODE),
        catches=(Fault.HINTS_IGNORED,),
        given=_UNREADY_LACKS,
        steps=(
            ask("a", dial(cluster_ip(), client=pod("a"), times=FEW), NEAR_A),
            ask("b", dial(cluster_ip(), client=pod("b"), times=FEW), NEAR_B),
        ),
        needs=(nodes(3), zones(2)),
        covers=("M02",),
    ),
    Case(
        id="TOP-05",
        promise="Node hints are ignored where a ready endpoint has none, and where none is for the node.",
        level=Level.SHOULD,
        sources=(HINTS, PREFER_SAME_KEP, TOPOLOGY_CODE),
        catches=(Fault.HINTS_NOT_DROPPED,),
        given=(_NODE_LACKS, _NODE_NONE),
        steps=(
            ask("lacks", dial(cluster_ip("top-05-lacks"), client=pod("a")), ANY),
            ask("lacks-port", dial(node_port("a", "top-05-lacks"), client=host("b")), ANY),
            ask("none", dial(cluster_ip("top-05-none"), client=pod("a")), ANY),
        ),
        needs=(nodes(2), since(1, 34)),
        covers=("M03",),
    ),
    Case(
        id="TOP-06",
        promise="A node that no node hint is for follows the zone hints.",
        level=Level.SHOULD,
        sources=(HINTS, PREFER_SAME_KEP, TOPOLOGY_CODE),
        catches=(Fault.HINTS_IGNORED, Fault.HINTS_NOT_DROPPED),
        given=_BOTH_KINDS,
        steps=(
            ask("zone", dial(cluster_ip(), client=pod("a"), times=FEW), NEAR_A),
            ask("node", dial(cluster_ip(), client=pod("b")), ANY),
        ),
        needs=(nodes(2), since(1, 34), zones(2)),
        covers=("M02",),
    ),
    Case(
        id="TOP-07",
        promise="Hints that come, change or go are followed from then on.",
        level=Level.SHOULD,
        sources=(HINTS, TOPOLOGY_HINTS_KEP),
        catches=(Fault.HINTS_IGNORED, Fault.HINTS_NOT_DROPPED),
        given=_LIVE,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("a"), times=FEW), NEAR_A),
            becomes(_LIVE.but(slices=(by_hand(_zone("a", "b"), _zone("b", "a")),))),
            ask("crossed", dial(cluster_ip(), client=pod("a"), times=FEW), NEAR_B),
            becomes(_LIVE.but(slices=(by_hand(_zone("a"), _zone("b")),))),
            ask("gone", dial(cluster_ip(), client=pod("a")), ANY),
        ),
        needs=(nodes(2), zones(2)),
        covers=("M03",),
    ),
    Case(
        id="TOP-08",
        promise="With trafficDistribution PreferClose clients get endpoints in their own zone.",
        level=Level.SHOULD,
        sources=(TRAFFIC_DISTRIBUTION,),
        catches=(Fault.HINTS_IGNORED,),
        given=_CLOSE,
        steps=(
            ask("a", dial(cluster_ip(), client=pod("a"), times=FEW), NEAR_A),
            ask("b", dial(cluster_ip(), client=pod("b"), times=FEW), NEAR_B),
            ask("port", dial(node_port("b"), client=host("a"), times=FEW), NEAR_B),
        ),
        needs=(nodes(2), zones(2)),
        covers=("M01",),
    ),
    Case(
        id="TOP-09",
        promise="When the endpoint on the client's node goes, PreferSameNode falls back to others, until it is back.",
        level=Level.SHOULD,
        sources=(TRAFFIC_DISTRIBUTION, PREFER_SAME_KEP),
        catches=(Fault.HINTS_IGNORED, Fault.HINTS_NOT_DROPPED),
        given=_FALLS,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("a"), times=FEW), NEAR_A),
            ask("before-port", dial(node_port("a"), client=host("b"), times=FEW), NEAR_A),
            becomes(_FALLS.but(endpoints=on("b"))),
            ask("away", dial(cluster_ip(), client=pod("a")), NEAR_B),
            ask("away-port", dial(node_port("a"), client=host("b")), NEAR_B),
            becomes(_FALLS),
            ask("back", dial(cluster_ip(), client=pod("a"), times=FEW), NEAR_A),
        ),
        needs=(nodes(2), since(1, 34)),
        covers=("M06",),
    ),
    Case(
        id="TOP-10",
        promise="Clients outside the cluster get endpoints of the zone of the node that they enter through.",
        level=Level.SHOULD,
        sources=(HINTS, TOPOLOGY_HINTS_KEP),
        catches=(Fault.HINTS_IGNORED,),
        given=_ZONES,
        steps=(
            ask("port", dial(node_port("a"), client=external("a"), times=FEW), NEAR_A),
            ask("other-port", dial(node_port("b"), client=external("a"), times=FEW), NEAR_B),
            ask("balancer", dial(load_balancer(), client=external("a"), times=FEW), NEAR_A),
        ),
        needs=(nodes(2), zones(2), vantage(Vantage.EXTERNAL)),
        covers=("M04",),
    ),
    Case(
        id="TOP-11",
        promise="PreferSameZone gives clients endpoints in their own zone, PreferSameNode those on their own node.",
        level=Level.SHOULD,
        sources=(TRAFFIC_DISTRIBUTION, PREFER_SAME_KEP),
        catches=(Fault.HINTS_IGNORED,),
        given=(_SAME_ZONE, _SAME_NODE),
        steps=tuple(
            ask(f"{word}-{role}", dial(cluster_ip(f"top-11-{word}"), client=pod(role), times=FEW), near)
            for word in ("zone", "node")
            for role, near in (("a", NEAR_A), ("b", NEAR_B))
        ),
        needs=(nodes(2), zones(2), since(1, 34)),
        covers=("M01",),
    ),
)

MATRICES: tuple[Matrix, ...] = ()
