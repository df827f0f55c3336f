"""kube-proxy or the network's agent restarts on a node, or rules are lost there, under live traffic of that node."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Breed,
    Case,
    Disruption,
    Level,
    Matrix,
    Pinned,
    Profile,
    ask,
    axes,
    becomes,
    cluster_ip,
    dial,
    disturb,
    host,
    known_agent,
    node_port,
    nodes,
    numbered,
    offered_host_ports,
    on,
    pod,
    readable_rules,
    service,
)
from conformance.model.case.backend import SHARED_PORT
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Dropped
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CONNTRACK_CODE,
    HOST_PORT,
    NETWORK_PLUGINS,
    NFTABLES_CODE,
    NFTABLES_KEP,
    NODE_PORT,
    VIRTUAL_IPS,
)

MEANWHILE = tuple(step / 4 for step in range(33))
"""Seconds at which new connections are made while kube-proxy is away and starts: eight are enough for most."""

AT_ONCE = (0, 0.5, 1)
"""Seconds at which new connections are made that must all end alike."""

IDLE = tuple(step / 2 for step in range(11))
"""Seconds at which new connections are made while nothing changes."""

_SERVED = service(ServiceType.NODE_PORT, on("a"), called="rst-01")
_CHANGED = service(endpoints=on("a"), called="rst-02")
_CREATED = service(endpoints=on("b"), called="rst-02-created")
_DELETED = service(endpoints=on("a"), called="rst-02-deleted")
_GROWN = service(endpoints=on("a"), called="rst-03")
_LOCAL = _GROWN.but(endpoints=on("a", "b"), internal_policy=Policy.LOCAL)
_BARE = service(ServiceType.NODE_PORT, on("a"), called="rst-04")
_BESIDE = service(endpoints=on("b"), called="rst-04-beside")
_STEADY = service(ServiceType.NODE_PORT, on("a"), called="rst-05")
_PORTED = on("a", breed=Breed.PORTED)
_RIVALLED = (
    service(ServiceType.NODE_PORT, on("b"), ports=numbered(SHARED_PORT), called="rst-06"),
    service(endpoints=_PORTED),
)
_RIVALS = (*on("b"), *_PORTED)
_FROM_POD = dial(node_port("a"), client=pod("b"), rounds=AT_ONCE, pin="pod")
_FROM_NODE = dial(node_port("a"), client=host("a"), rounds=AT_ONCE, pin="node")

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
        covers=("N01", "N05"),
    ),
    Case(
        id="RST-03",
        promise="A UDP flow keeps its endpoint while a node's kube-proxy restarts.",
        level=Level.SHOULD,
        sources=(CONNTRACK_CODE, NFTABLES_KEP),
        catches=(Fault.RESTART_FORGETS_FLOWS,),
        given=_GROWN,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            # Policy Local sends every new flow elsewhere, so that one which was forgotten cannot stay by chance.
            becomes(_LOCAL),
            ask("joined", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            disturb(Disruption.RESTART_PROXY, "b"),
            ask("meanwhile", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            becomes(_LOCAL),
            # For four seconds: kube-proxy looks after connection tracking some time after it has written its rules.
            ask("after", dial(cluster_ip(), client=pod("b"), flow="kept", times=40), Answered(on("a"))),
            ask("new", dial(cluster_ip(), client=pod("b")), Answered(on("b"))),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(Protocol.UDP,)),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("K10", "N02"),
    ),
    Case(
        id="RST-04",
        promise="When somebody has deleted kube-proxy's tables, Services are served again after the next change of a "
        "Service, and after kube-proxy's restart.",
        level=Level.SHOULD,
        sources=(NFTABLES_KEP, NFTABLES_CODE),
        catches=(Fault.DELETED_RULES_STAY_AWAY,),
        given=_BARE,
        steps=(
            ask("before", dial(cluster_ip("rst-04"), client=pod("b")), Answered(on("a"))),
            disturb(Disruption.DELETE_RULES, "b"),
            ask("idle", dial(cluster_ip("rst-04"), client=pod("b"), rounds=IDLE)),
            becomes(_BARE, _BESIDE),
            ask("changed", dial(cluster_ip("rst-04"), client=pod("b")), Answered(on("a"))),
            ask("changed-node-port", dial(node_port("b", of="rst-04"), client=pod("b")), Answered(on("a"))),
            disturb(Disruption.DELETE_RULES, "b"),
            disturb(Disruption.RESTART_PROXY, "b"),
            becomes(_BARE, _BESIDE),
            ask("restarted", dial(cluster_ip("rst-04"), client=pod("b")), Answered(on("a"))),
            ask("restarted-node-port", dial(node_port("b", of="rst-04"), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2), readable_rules()),
        across=axes(protocol=(Protocol.TCP,)),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("N04",),
    ),
    Case(
        id="RST-05",
        promise="While the pod network's agent restarts on a node, its pods reach Services as before: new connections "
        "are served all the time, and those that are established go on.",
        level=Level.CHECK,
        sources=(NETWORK_PLUGINS, VIRTUAL_IPS),
        catches=(Fault.AGENT_RESTART_CUTS,),
        given=_STEADY,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            disturb(Disruption.RESTART_CNI_AGENT, "b"),
            ask("flow", dial(cluster_ip(), client=pod("b"), flow="kept", times=80), Answered(on("a"))),
            ask("new", dial(cluster_ip(), client=pod("b"), rounds=MEANWHILE), Answered(on("a"))),
            ask("node-port", dial(node_port("b"), client=pod("b"), rounds=MEANWHILE), Answered(on("a"))),
            becomes(_STEADY),
            ask("flow-after", dial(cluster_ip(), client=pod("b"), flow="kept"), Answered(on("a"))),
            ask("new-after", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2), known_agent()),
        covers=("O17",),
    ),
    Case(
        id="RST-06",
        promise="Where a node port and a pod's hostPort have one number, a restart of kube-proxy does not change which "
        "of the two is reached at that pod's node.",
        level=Level.CHECK,
        sources=(NODE_PORT, HOST_PORT),
        catches=(Fault.RESTART_FLIPS_HOST_PORT,),
        given=_RIVALLED,
        steps=(
            ask("before", _FROM_POD, Pinned(_RIVALS)),
            ask("before-node", _FROM_NODE, Pinned(_RIVALS)),
            disturb(Disruption.RESTART_PROXY, "a"),
            becomes(*_RIVALLED),
            ask("after", _FROM_POD, Pinned(_RIVALS, stays=True)),
            ask("after-node", _FROM_NODE, Pinned(_RIVALS, stays=True)),
        ),
        needs=(nodes(2), offered_host_ports()),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("O09",),
    ),
)
MATRICES: tuple[Matrix, ...] = ()
