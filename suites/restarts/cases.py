"""kube-proxy restarts on a node, under live traffic of that node."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    Disruption,
    Level,
    Matrix,
    Profile,
    ask,
    becomes,
    cluster_ip,
    dial,
    disturb,
    node_port,
    nodes,
    on,
    pod,
    service,
)
from conformance.model.kube import ServiceType
from conformance.model.outcome import Dropped
from conformance.spec.faults import Fault
from conformance.spec.sources import CONNTRACK_CODE, NFTABLES_CODE, NFTABLES_KEP, VIRTUAL_IPS

MEANWHILE = tuple(step / 4 for step in range(33))
"""Seconds at which new connections are made while kube-proxy is away and starts: eight are enough for most."""

_SERVED = service(ServiceType.NODE_PORT, on("a"), called="rst-01")
_CHANGED = service(endpoints=on("a"), called="rst-02")
_CREATED = service(endpoints=on("b"), called="rst-02-created")
_DELETED = service(endpoints=on("a"), called="rst-02-deleted")

CASES = (
    Case(
        id="RST-01",
        promise="While a node's kube-proxy restarts, what it has programmed is in force: new connections are served "
        "all the time, and those that are established go on.",
        level=Level.SHOULD,
        sources=(NFTABLES_KEP, NFTABLES_CODE),
        catches=(Fault.RESTART_WINDOW,),
        given=_SERVED,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            disturb(Disruption.RESTART_PROXY, "b"),
            ask("flow", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            ask("new", dial(cluster_ip(), client=pod("b"), rounds=MEANWHILE), Answered(on("a"))),
            ask("node-port", dial(node_port("b"), client=pod("b"), rounds=MEANWHILE), Answered(on("a"))),
            becomes(_SERVED),
            ask("flow-after", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            ask("new-after", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("N01", "N02"),
    ),
    Case(
        id="RST-02",
        promise="What is created, changed and deleted while a node's kube-proxy is away is in force when it is back.",
        level=Level.SHOULD,
        sources=(VIRTUAL_IPS, CONNTRACK_CODE),
        catches=(Fault.NO_SERVICE_RULES,),
        given=(_CHANGED, _DELETED),
        steps=(
            ask("before", dial(cluster_ip("rst-02"), client=pod("b")), Answered(on("a"))),
            ask("before-deleted", dial(cluster_ip("rst-02-deleted"), client=pod("b")), Answered(on("a"))),
            disturb(Disruption.RESTART_PROXY, "b"),
            becomes(_CHANGED.but(endpoints=on("b")), _CREATED),
            ask("changed", dial(cluster_ip("rst-02"), client=pod("b")), Answered(on("b"))),
            ask("created", dial(cluster_ip("rst-02-created"), client=pod("b")), Answered(on("b"))),
            ask("deleted", dial(cluster_ip("rst-02-deleted", former=True), client=pod("b")), Dropped()),
        ),
        needs=(nodes(2),),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("N01",),
    ),
)
MATRICES: tuple[Matrix, ...] = ()
