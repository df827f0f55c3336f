"""EndpointSlices as a proxy reads them: conditions, doubles, odd ones, and the labels that it must look at."""

from __future__ import annotations

from conformance.model.addresses import Family, Protocol
from conformance.model.case import (
    Answered,
    Breed,
    Case,
    EndpointSpec,
    Level,
    Matrix,
    PortSpec,
    SeenSource,
    SlicePort,
    SliceSpec,
    ask,
    axes,
    becomes,
    by_hand,
    cluster_ip,
    dial,
    draining,
    fleet,
    host,
    node_port,
    nodes,
    on,
    on_host,
    pod,
    service,
)
from conformance.model.kube import ServiceType
from conformance.model.outcome import Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    CONDITIONS,
    SERVICE_PAGE,
    SLICE_CACHE_CODE,
    SLICE_PORTS,
    SLICES_PAGE,
    TARGET_PORT,
)
from suites.slices.labels import LABELS

NP = ServiceType.NODE_PORT
REFUSED = Refused(RefusedBy.ICMP)
(_A,), (_B,) = on("a"), on("b")
_ON_A, _ON_B, _BOTH = EndpointSpec(_A), EndpointSpec(_B), Answered(on("a", "b"))
_GHOST = EndpointSpec(_A, ready=False, serving=False, terminating=True)

_UNSET, _UNREADY, _DRAINS, _KEPT, _IDLE = (
    service(slices=(by_hand(*ends),), called=f"slc-02-{name}")
    for name, ends in {
        "unset": (_ON_A, EndpointSpec(_B, ready=True)),
        "unready": (_ON_A, EndpointSpec(_B, ready=False)),
        "draining": (_ON_A, draining(_B)),
        "published": (_ON_A, EndpointSpec(_B, ready=True, serving=True, terminating=True)),
        "idle": (EndpointSpec(_A, ready=False, serving=True, terminating=False),),
    }.items()
)

_TWICE = service(slices=(by_hand(_ON_A), by_hand(_ON_A, _ON_B)), called="slc-03")

_ODD = (
    SliceSpec((_ON_B,), fqdn=True),
    by_hand(_ON_B, ports=(SlicePort("other", Protocol.TCP), SlicePort("another", Protocol.UDP))),
    # One such port a slice: kube-proxy sorts a slice's ports by number, and falls over two that have none.
    by_hand(_ON_B, ports=(SlicePort("tcp", Protocol.TCP, 0),)),
    by_hand(_ON_B, ports=(SlicePort("udp", Protocol.UDP, 0),)),
)
_BESIDE = service(slices=(by_hand(_ON_A), *_ODD), called="slc-04-beside")
_ALONE = service(slices=_ODD, called="slc-04-alone")
_NEXT = service(endpoints=on("a"), called="slc-04-next")

_LAST, _FIRST = (
    service(slices=(by_hand(*ends),), called=f"slc-06-{name}")
    for name, ends in {"last": (_ON_A, _GHOST), "first": (_GHOST, _ON_A)}.items()
)

_CROWD = tuple(by_hand(*(EndpointSpec(b) for b in pair)) for pair in zip(fleet("a", 60), fleet("b", 60), strict=True))

_MIRRORED = service(endpoints=on("a", "b"), mirrored=True, called="slc-12")

CASES = (
    Case(
        id="SLC-01",
        promise="A Service without selector leads to the endpoints of slices that somebody else makes.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, SLICES_PAGE),
        catches=(Fault.NO_SERVICE_RULES, Fault.ENDPOINT_LEFT_OUT),
        given=service(NP, slices=(by_hand(_ON_A, _ON_B),), called="slc-01"),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a")), Answered(on("a", "b"), SeenSource.CLIENT)),
            ask("port", dial(node_port("b"), client=host("a")), _BOTH),
        ),
        needs=(nodes(2),),
        covers=("E09",),
    ),
    Case(
        id="SLC-02",
        promise="Endpoints are chosen by their conditions; one that says nothing of itself is ready.",
        level=Level.MUST,
        sources=(CONDITIONS,),
        catches=(Fault.CONDITIONS_MISREAD, Fault.NOT_READY_CHOSEN),
        given=(_UNSET, _UNREADY, _DRAINS, _KEPT, _IDLE),
        steps=(
            ask("unset", dial(cluster_ip("slc-02-unset"), client=pod("a")), _BOTH),
            ask("unready", dial(cluster_ip("slc-02-unready"), client=pod("a"), times=40), Answered(on("a"))),
            ask("draining", dial(cluster_ip("slc-02-draining"), client=pod("a"), times=40), Answered(on("a"))),
            ask("published", dial(cluster_ip("slc-02-published"), client=pod("a")), _BOTH),
            ask("idle", dial(cluster_ip("slc-02-idle"), client=pod("a")), REFUSED),
        ),
        needs=(nodes(2),),
        covers=("E11",),
    ),
    Case(
        id="SLC-03",
        promise="An endpoint in two slices is one endpoint, and stays one while it moves between them.",
        level=Level.MUST,
        sources=(SLICES_PAGE, SLICE_CACHE_CODE),
        catches=(Fault.LISTED_TWICE_CHOSEN_TWICE, Fault.ENDPOINT_LEFT_OUT),
        given=_TWICE,
        steps=(
            ask("twice", dial(cluster_ip(), client=pod("a"), times=400), _BOTH),
            becomes(_TWICE.but(slices=(by_hand(_ON_B), by_hand(_ON_A, _ON_B)))),
            ask("moving", dial(cluster_ip(), client=pod("a"), times=400), _BOTH),
            becomes(_TWICE.but(slices=(by_hand(_ON_B), by_hand(_ON_A)))),
            ask("moved", dial(cluster_ip(), client=pod("a"), times=400), _BOTH),
        ),
        needs=(nodes(2),),
        covers=("E12",),
    ),
    Case(
        id="SLC-04",
        promise="Slices of host names, of unknown ports and of ports without a number lead nowhere, and hinder nobody.",
        level=Level.SHOULD,
        sources=(SLICE_PORTS, SLICE_CACHE_CODE),
        catches=(Fault.ODD_SLICE_STOPS_OTHERS, Fault.NO_ENDPOINTS_ANSWERS),
        given=(_BESIDE, _ALONE),
        steps=(
            ask("beside", dial(cluster_ip("slc-04-beside"), client=pod("b"), times=40), Answered(on("a"))),
            ask("alone", dial(cluster_ip("slc-04-alone"), client=pod("b")), REFUSED),
            becomes(_BESIDE, _ALONE, _NEXT),
            ask("next", dial(cluster_ip("slc-04-next"), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("E13",),
    ),
    Case(
        id="SLC-05",
        promise="A slice of a family that the Service does not have leads nowhere, and hinders nobody.",
        level=Level.SHOULD,
        sources=(SLICES_PAGE, SLICE_CACHE_CODE),
        catches=(Fault.ODD_SLICE_STOPS_OTHERS,),
        given=service(
            families=(Family.IPV4,),
            slices=(SliceSpec((_ON_A,), family=Family.IPV4), SliceSpec((_ON_B,), family=Family.IPV6)),
            called="slc-05",
        ),
        when=dial(cluster_ip(), client=pod("b"), times=40),
        then=Answered(on("a")),
        needs=(nodes(2),),
        across=axes(family=(Family.IPV4,)),
        covers=("E13",),
    ),
    Case(
        id="SLC-06",
        promise="A ready endpoint is reached while another that terminates has its address, in one slice.",
        level=Level.MUST,
        sources=(CONDITIONS, SLICE_CACHE_CODE),
        catches=(Fault.TERMINATING_TWIN_HIDES,),
        given=(_LAST, _FIRST),
        steps=(
            ask("last-home", dial(cluster_ip("slc-06-last"), client=pod("a")), Answered(on("a"))),
            ask("last-away", dial(cluster_ip("slc-06-last"), client=pod("b")), Answered(on("a"))),
            ask("first-home", dial(cluster_ip("slc-06-first"), client=pod("a")), Answered(on("a"))),
            ask("first-away", dial(cluster_ip("slc-06-first"), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("E12",),
    ),
    Case(
        id="SLC-07",
        promise="A ready endpoint is reached while another that terminates has its address, in two slices.",
        level=Level.MUST,
        sources=(CONDITIONS, SLICE_CACHE_CODE),
        catches=(Fault.TERMINATING_TWIN_HIDES,),
        given=service(slices=(by_hand(_GHOST), by_hand(_ON_A)), called="slc-07"),
        steps=(
            ask("home", dial(cluster_ip(), client=pod("a")), Answered(on("a"))),
            ask("away", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
        ),
        needs=(nodes(2),),
        covers=("E12",),
    ),
    Case(
        id="SLC-08",
        promise="Two ports of one address are two endpoints, chosen equally often.",
        level=Level.MUST,
        sources=(SLICE_PORTS, SLICES_PAGE),
        catches=(Fault.ENDPOINT_LEFT_OUT, Fault.SKEWED_LOAD, Fault.SOME_CONNECTIONS_LOST),
        given=service(slices=tuple(by_hand(EndpointSpec(b)) for b in fleet("a", 2)), called="slc-08"),
        when=dial(cluster_ip(), client=pod("b"), times=200),
        then=Answered(fleet("a", 2)),
        needs=(nodes(2),),
        covers=("E15",),
    ),
    Case(
        id="SLC-09",
        promise="Of more than a hundred endpoints in many slices each is reached.",
        level=Level.MUST,
        sources=(SLICES_PAGE,),
        catches=(Fault.ENDPOINT_LEFT_OUT, Fault.SKEWED_LOAD),
        given=service(slices=_CROWD, called="slc-09"),
        when=dial(cluster_ip(), client=pod("a")),
        then=Answered((*fleet("a", 60), *fleet("b", 60))),
        needs=(nodes(2),),
        across=axes(protocol=(Protocol.TCP,)),
        covers=("E16",),
    ),
    Case(
        id="SLC-10",
        promise="A Service whose pods give its named port different numbers leads to each pod at its own.",
        level=Level.MUST,
        sources=(TARGET_PORT, SLICES_PAGE),
        catches=(Fault.ENDPOINT_LEFT_OUT,),
        given=service(
            endpoints=(*on("a"), *on("b", breed=Breed.ALT)),
            ports=(PortSpec("tcp", Protocol.TCP, target="tcp"), PortSpec("udp", Protocol.UDP, target="udp")),
            called="slc-10",
        ),
        when=dial(cluster_ip(), client=pod("a")),
        then=Answered((*on("a"), *on("b", breed=Breed.ALT))),
        needs=(nodes(2),),
        covers=("E15",),
    ),
    Case(
        id="SLC-11",
        promise="A hand-made endpoint need not be a pod's nor on any node: a machine's own address will do too.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, SLICES_PAGE),
        catches=(Fault.ENDPOINT_LEFT_OUT,),
        given=service(slices=(by_hand(EndpointSpec(on_host("b")[0], node=""), _ON_A),), called="slc-11"),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("a")), Answered((*on_host("b"), _A))),
            ask("node", dial(cluster_ip(), client=host("a")), Answered((*on_host("b"), _A))),
        ),
        needs=(nodes(2),),
        covers=("E10",),
    ),
    Case(
        id="SLC-12",
        promise="A Service without selector leads to what its Endpoints object lists, which is mirrored into slices.",
        level=Level.MUST,
        sources=(SERVICE_PAGE, SLICES_PAGE),
        catches=(Fault.ENDPOINT_LEFT_OUT, Fault.STALE_ENDPOINT),
        given=_MIRRORED,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("a")), _BOTH),
            becomes(_MIRRORED.but(endpoints=on("b"))),
            ask("after", dial(cluster_ip(), client=pod("a"), times=40), Answered(on("b"))),
        ),
        needs=(nodes(2),),
        covers=("E14",),
    ),
    *LABELS,
)

MATRICES: tuple[Matrix, ...] = ()
