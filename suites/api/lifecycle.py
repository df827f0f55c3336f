"""Services come, are seen, change and go."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    CONFLICT,
    NOT_FOUND,
    PRESENT,
    UNCHANGED,
    Answered,
    Case,
    Level,
    Rejected,
    ResolvesTo,
    Stored,
    address,
    ask,
    axes,
    becomes,
    change,
    clear,
    cluster_ip,
    create,
    default_range,
    delete,
    dial,
    found,
    listed,
    lookup,
    make,
    nodes,
    on,
    pod,
    read,
    really,
    replace,
    report,
    service,
    since,
)
from conformance.model.kube import ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    API_CONCEPTS,
    CLUSTER_IP,
    DNS_PAGE,
    DRY_RUN,
    FINALIZERS,
    FINALIZERS_PAGE,
    IP_ADDRESS,
    RELAXED_NAMES,
    SERVICE_CIDR,
    SERVICE_CIDR_PAGE,
    SERVICE_PAGE,
)

API = axes(family=(), protocol=())

_ONE = service(called="api-01", labels=(("nftconform.io/case", "api-01"),))
_OTHER = service(called="api-01-other", labels=(("nftconform.io/case", "api-01"),))
_STRANGER = service(called="api-01-stranger")
_NOTE = "metadata.annotations.note"
_BALANCED = service(ServiceType.LOAD_BALANCER, called="api-02", ingress=())
_HELD = service(called="api-03")
_HOLD = ("metadata.finalizers", ("nftconform.io/held",))
_NUMBERED = service(called="7-api-04", endpoints=on("a"))
_NAMED = service(called="api-05")
_TRIED = service(called="api-06")
_GREEDY = service(called="api-07", reuses="api-07-first")
_FIRST = service(called="api-07-first")

CASES = (
    Case(
        id="API-01",
        promise="A Service is created, read, listed, changed, replaced and deleted, alone and with others.",
        level=Level.MUST,
        sources=(API_CONCEPTS, SERVICE_PAGE),
        catches=(
            Fault.API_DEFAULT_MISSING,
            Fault.API_ALLOCATES_NOTHING,
            Fault.API_ALLOCATES_ANEW,
            Fault.API_REFUSES_CHANGE,
            Fault.API_OVERWRITES,
            Fault.API_DELETE_LOST,
            Fault.API_SELECTOR_IGNORED,
        ),
        given=(),
        steps=(
            ask(
                "created",
                really(create(_ONE, ("spec.type", None)), read(_ONE)),
                Stored((("metadata.uid", PRESENT), ("spec.type", "ClusterIP"), ("spec.clusterIP", PRESENT))),
            ),
            ask(
                "twice",
                really(create(_ONE), create(_ONE)),
                Rejected(status=CONFLICT),
            ),
            ask(
                "listed",
                really(create(_STRANGER), create(_ONE), listed(_ONE)),
                Stored((("items.0.metadata.name", "api-01"), ("items.1", None))),
            ),
            ask(
                "found",
                really(create(_STRANGER), create(_ONE), found(_ONE)),
                Stored((("items.0.metadata.name", "api-01"), ("items.1", None))),
            ),
            ask(
                "changed",
                really(create(_ONE), change(_ONE, (_NOTE, "one"))),
                Stored(((_NOTE, "one"), ("spec.clusterIP", UNCHANGED), ("metadata.uid", UNCHANGED))),
            ),
            ask(
                "replaced",
                really(create(_ONE), change(_ONE, (_NOTE, "one")), replace(_ONE, (_NOTE, "two"))),
                Stored(((_NOTE, "two"), ("spec.clusterIP", UNCHANGED), ("metadata.uid", UNCHANGED))),
            ),
            ask(
                "stale",
                really(create(_ONE), replace(_ONE, ("metadata.resourceVersion", "1"))),
                Rejected("", CONFLICT),
            ),
            ask("deleted", really(create(_ONE), delete(_ONE), read(_ONE)), Rejected(status=NOT_FOUND)),
            ask(
                "collection",
                really(create(_ONE), create(_OTHER), clear(_ONE), listed(_ONE)),
                Stored((("items.0", None),)),
            ),
        ),
        across=API,
        covers=("P01",),
    ),
    Case(
        id="API-02",
        promise="A Service's status is written through its subresource alone, and that leaves its spec alone.",
        level=Level.MUST,
        sources=(API_CONCEPTS,),
        catches=(
            Fault.API_DEFAULT_MISSING,
            Fault.API_TAKES_INVALID,
            Fault.API_STATUS_WITH_SPEC,
        ),
        given=(),
        steps=(
            ask(
                "reported",
                really(
                    create(_BALANCED.but(called="api-02-reported")),
                    report(
                        _BALANCED.but(called="api-02-reported"),
                        ("status.loadBalancer.ingress", ({"ip": "198.51.100.253"},)),
                    ),
                ),
                Stored(
                    (
                        ("status.loadBalancer.ingress.0.ip", "198.51.100.253"),
                        ("status.loadBalancer.ingress.0.ipMode", "VIP"),
                        ("spec.clusterIP", UNCHANGED),
                    )
                ),
            ),
            ask(
                "aside",
                make(
                    _BALANCED.but(called="api-02-aside"), ("status.loadBalancer.ingress", ({"ip": "198.51.100.253"},))
                ),
                Stored((("status.loadBalancer.ingress", None),)),
            ),
            ask(
                "elsewhere",
                really(
                    create(_NAMED.but(called="api-02-elsewhere")),
                    report(
                        _NAMED.but(called="api-02-elsewhere"),
                        ("status.loadBalancer.ingress", ({"ip": "198.51.100.253"},)),
                    ),
                ),
                Rejected("status.loadBalancer.ingress"),
            ),
        ),
        across=API,
        covers=("P01",),
    ),
    Case(
        id="API-03",
        promise="A Service with a finalizer stays when it is deleted, marked, until the finalizer is taken off.",
        level=Level.MUST,
        sources=(FINALIZERS, FINALIZERS_PAGE),
        catches=(
            Fault.API_FINALIZER_IGNORED,
            Fault.API_DELETE_LOST,
        ),
        given=(),
        steps=(
            ask(
                "held",
                really(create(_HELD, _HOLD), delete(_HELD), read(_HELD)),
                Stored((("metadata.deletionTimestamp", PRESENT), ("spec.clusterIP", PRESENT))),
            ),
            ask(
                "released",
                really(create(_HELD, _HOLD), delete(_HELD), change(_HELD, ("metadata.finalizers", None)), read(_HELD)),
                Rejected(status=NOT_FOUND),
            ),
        ),
        across=API,
        covers=("D21",),
    ),
    Case(
        id="API-04",
        promise="A Service may have a name that starts with a digit, and is served and resolved like any other.",
        level=Level.SHOULD,
        sources=(RELAXED_NAMES, DNS_PAGE),
        catches=(
            Fault.API_REFUSES_VALID,
            Fault.NO_SERVICE_RULES,
            Fault.DNS_ENDPOINTS_AS_ADDRESS,
        ),
        given=(),
        steps=(
            ask("taken", make(_NUMBERED), Stored((("metadata.name", "7-api-04"), ("spec.clusterIP", PRESENT)))),
            becomes(_NUMBERED),
            ask("dialled", dial(cluster_ip(), client=pod("b")), Answered(on("a"))),
            ask("resolved", dial(lookup("A"), client=pod("b")), ResolvesTo(ResolvesTo.What.CLUSTER_IPS)),
        ),
        needs=(nodes(2), since(1, 36)),
        across=axes(protocol=(Protocol.TCP,)),
        covers=("P07",),
    ),
    Case(
        id="API-05",
        promise="A name that is no DNS label is refused: it could not be resolved.",
        level=Level.MUST,
        sources=(SERVICE_PAGE,),
        catches=(Fault.API_TAKES_INVALID,),
        given=(),
        steps=(
            ask("dotted", make(_NAMED, ("metadata.name", "api.05")), Rejected("metadata.name")),
            ask("capital", make(_NAMED, ("metadata.name", "Api-05")), Rejected("metadata.name")),
            ask("long", make(_NAMED, ("metadata.name", "a" * 64)), Rejected("metadata.name")),
        ),
        across=API,
    ),
    Case(
        id="API-06",
        promise="A dry run is validated and filled in like the real thing, and leaves nothing behind.",
        level=Level.MUST,
        sources=(DRY_RUN,),
        catches=(
            Fault.API_ALLOCATES_NOTHING,
            Fault.API_DRY_RUN_STORED,
        ),
        given=(),
        steps=(
            ask("made", make(_TRIED), Stored((("metadata.uid", PRESENT), ("spec.clusterIP", PRESENT)))),
            ask("gone", really(read(_TRIED)), Rejected(status=NOT_FOUND)),
        ),
        across=API,
    ),
    Case(
        id="API-07",
        promise="A ClusterIP may be asked for by value: from the range, and if no other Service has it.",
        level=Level.MUST,
        sources=(CLUSTER_IP,),
        catches=(
            Fault.API_TAKES_INVALID,
            Fault.API_ALLOCATES_TWICE,
            Fault.API_KEEPS_ALLOCATED,
        ),
        given=_FIRST,
        steps=(
            ask("taken", really(create(_GREEDY)), Rejected("spec.clusterIPs")),
            ask(
                "outside",
                really(create(service(called="api-07-outside"), ("spec.clusterIP", "192.0.2.1"))),
                Rejected("spec.clusterIPs"),
            ),
            ask(
                "malformed",
                make(service(called="api-07-malformed"), ("spec.clusterIP", "192.0.2")),
                Rejected("spec.clusterIPs"),
            ),
            ask(
                "freed",
                really(delete(_FIRST), create(_GREEDY)),
                Stored((("spec.clusterIP", PRESENT),)),
            ),
        ),
        across=API,
    ),
    Case(
        id="API-08",
        promise="Each ClusterIP has an IPAddress object that names its Service, and that goes with it.",
        level=Level.SHOULD,
        sources=(IP_ADDRESS, SERVICE_CIDR, SERVICE_CIDR_PAGE),
        catches=(
            Fault.API_ALLOCATES_NOTHING,
            Fault.API_KEEPS_ALLOCATED,
        ),
        given=(),
        steps=(
            ask(
                "held",
                really(create(service(called="api-08")), address(service(called="api-08"))),
                Stored((("spec.parentRef.resource", "services"), ("spec.parentRef.name", "api-08"))),
            ),
            ask(
                "freed",
                really(
                    create(service(called="api-08")),
                    delete(service(called="api-08")),
                    address(service(called="api-08")),
                ),
                Rejected(status=NOT_FOUND),
            ),
            ask(
                "released",
                really(
                    create(service(called="api-08"), _HOLD),
                    delete(service(called="api-08")),
                    change(service(called="api-08"), ("metadata.finalizers", None)),
                    address(service(called="api-08")),
                ),
                Rejected(status=NOT_FOUND),
            ),
            ask(
                "range",
                really(default_range(service(called="api-08"))),
                Stored((("spec.cidrs.0", PRESENT), ("metadata.deletionTimestamp", None))),
            ),
        ),
        needs=(since(1, 33),),
        across=API,
        covers=("P08",),
    ),
)
