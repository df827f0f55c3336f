"""kube-proxy itself: that it is well, that nothing odd stops it, and that no change of many is lost."""

from __future__ import annotations

from conformance.model.addresses import Family, Protocol
from conformance.model.case import (
    Answered,
    Case,
    EndpointSpec,
    Level,
    Matrix,
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
from conformance.spec.faults import Fault
from conformance.spec.sources import EXTERNAL_IPS, HEALTHZ, NFTABLES_CODE, NFTABLES_KEP, SLICES_PAGE, VIRTUAL_IPS
from suites.proxy.edits import story

PAGES = axes(family=(Family.IPV4,), protocol=())

_GOOD = service(endpoints=on("a"), called="prx-10")
_LATER = service(endpoints=on("b"), called="prx-10-later")
_LAST = service(endpoints=on("a"), called="prx-10-last")
(_WEB,) = on("a")
_ODD = (
    # Two Services claim one address and port.
    service(endpoints=on("a"), called="prx-10-claims", external_ip_of="c"),
    service(endpoints=on("b"), called="prx-10-counterclaims", external_ip_of="c"),
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
_EDITED, _EDITS = story(1, "prx-20", services=5, phases=4)
_EDITED_AGAIN, _MORE_EDITS = story(2, "prx-21", services=5, phases=4)

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
        catches=(Fault.BAD_OBJECT_STOPS_OTHERS, Fault.NO_SERVICE_RULES, Fault.STALE_ENDPOINT),
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
        id="PRX-20",
        promise="After random edits to several Services each of them is served as it says now.",
        level=Level.MUST,
        sources=(VIRTUAL_IPS, NFTABLES_CODE),
        catches=(Fault.CHANGE_LOST, Fault.STALE_ENDPOINT, Fault.NO_SERVICE_RULES),
        given=_EDITED,
        steps=_EDITS,
        needs=(nodes(3),),
        covers=("N15",),
    ),
    Case(
        id="PRX-21",
        promise="After other random edits to several Services each of them is served as it says now.",
        level=Level.MUST,
        sources=(VIRTUAL_IPS, NFTABLES_CODE),
        catches=(Fault.CHANGE_LOST, Fault.STALE_ENDPOINT, Fault.NO_SERVICE_RULES),
        given=_EDITED_AGAIN,
        steps=_MORE_EDITS,
        needs=(nodes(3),),
        covers=("N15",),
    ),
)

MATRICES: tuple[Matrix, ...] = ()
