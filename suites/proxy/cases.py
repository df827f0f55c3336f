"""kube-proxy itself: that it is well, that nothing odd stops it, and that no change of many is lost."""

from __future__ import annotations

from conformance.model.addresses import Family, Protocol
from conformance.model.case import (
    Answered,
    Case,
    EndpointSpec,
    Level,
    Matrix,
    PortSpec,
    Profile,
    Says,
    SlicePort,
    SliceSpec,
    ask,
    axes,
    becomes,
    by_hand,
    cluster_ip,
    dial,
    host,
    nodes,
    on,
    pod,
    proxy_page,
    service,
)
from conformance.model.outcome import Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    EXTERNAL_IPS,
    HEALTHZ,
    NFTABLES_CODE,
    NFTABLES_KEP,
    SERVICE_PORTS,
    SLICES_PAGE,
    VIRTUAL_IPS,
)
from suites.proxy.edits import story

PAGES = axes(family=(Family.IPV4,), protocol=())

_GOOD = service(endpoints=on("a"), called="prx-10")
_LATER = service(endpoints=on("b"), called="prx-10-later")
_LAST = service(endpoints=on("a"), called="prx-10-last")
(_WEB,) = on("a")
# A port that nothing on a node listens on: its own traffic to that port would go to the Services.
_UNUSED = (PortSpec("tcp", Protocol.TCP, 24681),)
_ODD = (
    # Two Services claim one address and port.
    service(endpoints=on("a"), called="prx-10-claims", external_ip_of="c", ports=_UNUSED),
    service(endpoints=on("b"), called="prx-10-counterclaims", external_ip_of="c", ports=_UNUSED),
    # Slices with host names, without ports, with a port that has no number, with one endpoint twice.
    service(called="prx-10-names", slices=(SliceSpec((EndpointSpec(_WEB),), fqdn=True),)),
    service(called="prx-10-portless", slices=(SliceSpec((EndpointSpec(_WEB),), ports=()),)),
    service(
        called="prx-10-numberless",
        slices=(
            by_hand(EndpointSpec(_WEB), ports=(SlicePort("tcp", Protocol.TCP, 0), SlicePort("udp", Protocol.UDP, 0))),
        ),
    ),
    service(
        called="prx-10-twice",
        slices=(
            by_hand(EndpointSpec(_WEB), EndpointSpec(_WEB, ready=False, serving=True, terminating=True)),
            by_hand(EndpointSpec(_WEB, ready=False)),
        ),
    ),
)
# namespace/name:port is what kube-proxy's comments say; nft takes no comment of more than 128 characters.
_LONG = service(
    called=f"prx-11-{'x' * 56}",
    ports=(PortSpec("t" * 63, Protocol.TCP), PortSpec("u" * 63, Protocol.UDP)),
)
_BESIDE = service(endpoints=on("a"), called="prx-11-beside")
_AFTER = service(endpoints=on("b"), called="prx-11-after")
# Seeds whose stories change much: types both ways, endpoints, policies, affinity; Services go and come back.
_EDITED, _EDITS = story(20, "prx-20", services=4, phases=4)
_EDITED_AGAIN, _MORE_EDITS = story(284, "prx-21", services=4, phases=4, gone=True)

CASES = (
    Case(
        id="PRX-01",
        promise="Every node's kube-proxy says that it is alive and that its rules are up to date.",
        level=Level.SHOULD,
        sources=(HEALTHZ,),
        catches=(Fault.PROXY_NOT_HEALTHY,),
        given=_GOOD.but(called="prx-01"),
        steps=tuple(
            ask(f"{page}-{role}", dial(proxy_page(role, page), client=host(role)), Says(200))
            for page in ("healthz", "livez")
            for role in "abc"
        ),
        needs=(nodes(3),),
        across=PAGES,
        covers=("N06",),
    ),
    Case(
        id="PRX-02",
        promise="Every node's kube-proxy says that it runs in nftables mode.",
        level=Level.SHOULD,
        sources=(NFTABLES_KEP, HEALTHZ),
        catches=(Fault.PROXY_IN_ANOTHER_MODE,),
        given=_GOOD.but(called="prx-02"),
        steps=tuple(
            ask(role, dial(proxy_page(role, "proxyMode"), client=host(role)), Says(200, body="nftables"))
            for role in "abc"
        ),
        needs=(nodes(3),),
        across=PAGES,
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("N06",),
    ),
    Case(
        id="PRX-10",
        promise="Conflicting Services and odd EndpointSlices keep no other Service from being programmed.",
        level=Level.MUST,
        sources=(VIRTUAL_IPS, SLICES_PAGE, EXTERNAL_IPS),
        catches=(
            Fault.BAD_OBJECT_STOPS_OTHERS,
            Fault.SLOW_SYNC,
            Fault.NO_SERVICE_RULES,
            Fault.STALE_ENDPOINT,
            Fault.PARTIAL_SYNC_FORGETS,
        ),
        given=_GOOD,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            becomes(_GOOD.but(endpoints=on("b")), _LATER, *_ODD),
            ask("changed", dial(cluster_ip(), client=pod("b")), Answered(on("b"))),
            ask("created", dial(cluster_ip("prx-10-later"), client=pod("b")), Answered(on("b"))),
            ask("healthy", dial(proxy_page("b", "healthz"), client=host("b")), Says(200)),
            becomes(_GOOD, _LAST),
            ask("back", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask("last", dial(cluster_ip("prx-10-last"), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(3),),
        covers=("N16",),
    ),
    Case(
        id="PRX-11",
        promise="A Service with names of the greatest length and no endpoints keeps no other from being programmed.",
        level=Level.SHOULD,
        sources=(SERVICE_PORTS, NFTABLES_CODE),
        catches=(Fault.BAD_OBJECT_STOPS_OTHERS,),
        given=(_BESIDE, _LONG),
        steps=(
            ask("before", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask("long", dial(cluster_ip(_LONG.name), client=pod("b")), Refused(RefusedBy.ICMP)),
            becomes(_BESIDE.but(endpoints=on("b")), _LONG, _AFTER),
            ask("changed", dial(cluster_ip(), client=pod("b")), Answered(on("b"))),
            ask("created", dial(cluster_ip(_AFTER.name), client=pod("b")), Answered(on("b"))),
        ),
        needs=(nodes(2),),
        covers=("N16",),
        alone=True,
    ),
    Case(
        id="PRX-20",
        promise="After random edits to several Services each of them is served as it says now.",
        level=Level.MUST,
        sources=(VIRTUAL_IPS, NFTABLES_CODE),
        catches=(Fault.CHANGE_LOST, Fault.STALE_ENDPOINT, Fault.NO_SERVICE_RULES, Fault.PARTIAL_SYNC_FORGETS),
        given=_EDITED,
        steps=_EDITS,
        needs=(nodes(3),),
        covers=("N15",),
    ),
    Case(
        id="PRX-21",
        promise="After random edits every Service is served as it says now, and nothing of those that are gone.",
        level=Level.SHOULD,
        sources=(VIRTUAL_IPS, NFTABLES_CODE),
        catches=(Fault.CHANGE_LOST, Fault.STALE_ENDPOINT, Fault.NO_SERVICE_RULES),
        given=_EDITED_AGAIN,
        steps=_MORE_EDITS,
        needs=(nodes(3),),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("N15",),
    ),
)

MATRICES: tuple[Matrix, ...] = ()
