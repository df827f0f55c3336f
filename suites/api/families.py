"""IP families: which a Service gets, and which it keeps."""

from __future__ import annotations

from conformance.model.addresses import Family
from conformance.model.case import (
    PRESENT,
    UNCHANGED,
    Case,
    Level,
    Rejected,
    Stored,
    alter,
    ask,
    axes,
    dual_stack,
    make,
    service,
    single_stack,
)
from conformance.spec.faults import Fault
from conformance.spec.sources import CLUSTER_IP, DUAL_STACK_PAGE, IP_FAMILIES, IP_FAMILY_POLICY

API = axes(family=(), protocol=())
POLICY = "spec.ipFamilyPolicy"

_PLAIN = service(called="api-20")
_HEADLESS = service(called="api-21", headless=True, slices=())
_SINGLE = service(called="api-22", families=(Family.IPV4,))
_DUAL = service(called="api-23", families=(Family.IPV4, Family.IPV6))

CASES = (
    Case(
        id="API-20",
        promise="On a dual-stack cluster a Service gets the families that its policy and its list ask for.",
        level=Level.MUST,
        sources=(IP_FAMILIES, IP_FAMILY_POLICY, DUAL_STACK_PAGE),
        catches=(
            Fault.API_DEFAULT_MISSING,
            Fault.API_ALLOCATES_NOTHING,
            Fault.API_REFUSES_VALID,
            Fault.API_TAKES_INVALID,
        ),
        given=(),
        steps=(
            ask(
                "default",
                make(_PLAIN, (POLICY, None)),
                Stored(
                    (
                        (POLICY, "SingleStack"),
                        ("spec.ipFamilies.0", PRESENT),
                        ("spec.ipFamilies.1", None),
                        ("spec.clusterIPs.0", PRESENT),
                        ("spec.clusterIPs.1", None),
                    )
                ),
            ),
            ask(
                "prefer",
                make(_PLAIN, (POLICY, "PreferDualStack")),
                Stored((("spec.ipFamilies.1", PRESENT), ("spec.clusterIPs.1", PRESENT))),
            ),
            ask(
                "require",
                make(_PLAIN, (POLICY, "RequireDualStack")),
                Stored((("spec.ipFamilies.1", PRESENT), ("spec.clusterIPs.1", PRESENT))),
            ),
            ask(
                "second",
                make(_PLAIN, (POLICY, "SingleStack"), ("spec.ipFamilies", ("IPv6",))),
                Stored((("spec.ipFamilies.0", "IPv6"), ("spec.ipFamilies.1", None), ("spec.clusterIPs.1", None))),
            ),
            ask(
                "ordered",
                make(_PLAIN, (POLICY, "PreferDualStack"), ("spec.ipFamilies", ("IPv6",))),
                Stored((("spec.ipFamilies.0", "IPv6"), ("spec.ipFamilies.1", "IPv4"), ("spec.clusterIPs.1", PRESENT))),
            ),
            ask(
                "contradicting",
                make(_PLAIN, (POLICY, "SingleStack"), ("spec.ipFamilies", ("IPv4", "IPv6"))),
                Rejected(POLICY),
            ),
            ask("repeated", make(_PLAIN, ("spec.ipFamilies", ("IPv4", "IPv4"))), Rejected("spec.ipFamilies")),
            ask("unknown", make(_PLAIN, ("spec.ipFamilies", ("IPv5",))), Rejected("spec.ipFamilies")),
            ask("word", make(_PLAIN, (POLICY, "DualStack")), Rejected(POLICY)),
            ask(
                "mismatched",
                make(_PLAIN, ("spec.ipFamilies", ("IPv4",)), ("spec.clusterIP", "2001:db8::1")),
                Rejected("spec.clusterIPs"),
            ),
        ),
        needs=(dual_stack(),),
        across=API,
        covers=("L01",),
    ),
    Case(
        id="API-21",
        promise="A headless Service without selector is dual-stack by default.",
        level=Level.MUST,
        sources=(IP_FAMILY_POLICY, DUAL_STACK_PAGE),
        catches=(Fault.API_DEFAULT_MISSING,),
        given=(),
        steps=(
            ask(
                "default",
                make(_HEADLESS, (POLICY, None)),
                Stored(((POLICY, "RequireDualStack"), ("spec.ipFamilies.1", PRESENT), ("spec.clusterIP", "None"))),
            ),
        ),
        across=API,
        covers=("L01",),
    ),
    Case(
        id="API-22",
        promise="A Service's ClusterIP and its family may not change once set.",
        level=Level.MUST,
        sources=(CLUSTER_IP, IP_FAMILIES),
        catches=(
            Fault.API_IMMUTABLE_CHANGES,
            Fault.API_ALLOCATES_ANEW,
        ),
        given=_SINGLE,
        steps=(
            ask("other", alter(_SINGLE, ("spec.clusterIP", "192.0.2.1")), Rejected("spec.clusterIPs")),
            ask(
                "others",
                alter(_SINGLE, ("spec.clusterIP", "192.0.2.1"), ("spec.clusterIPs", ("192.0.2.1",))),
                Rejected("spec.clusterIPs"),
            ),
            ask(
                "headless",
                alter(_SINGLE, ("spec.clusterIP", "None"), ("spec.clusterIPs", ("None",))),
                Rejected("spec.clusterIPs"),
            ),
            ask(
                "unsaid",
                alter(_SINGLE, ("spec.clusterIP", None), ("spec.clusterIPs", None)),
                Stored((("spec.clusterIP", UNCHANGED), ("spec.clusterIPs", UNCHANGED))),
            ),
        ),
        across=API,
        covers=("P02",),
    ),
    Case(
        id="API-23",
        promise="The first family of a Service stays; the second comes and goes as the policy says.",
        level=Level.MUST,
        sources=(IP_FAMILIES, IP_FAMILY_POLICY, DUAL_STACK_PAGE),
        catches=(
            Fault.API_IMMUTABLE_CHANGES,
            Fault.API_TAKES_INVALID,
            Fault.API_ALLOCATES_NOTHING,
            Fault.API_ALLOCATES_ANEW,
            Fault.API_REFUSES_CHANGE,
        ),
        given=(_DUAL, _SINGLE.but(called="api-23-single")),
        steps=(
            ask("swapped", alter(_DUAL, ("spec.ipFamilies", ("IPv6", "IPv4"))), Rejected("spec.clusterIPs")),
            ask(
                "added",
                alter(_SINGLE.but(called="api-23-single"), (POLICY, "RequireDualStack")),
                Stored(
                    (
                        ("spec.clusterIPs.0", UNCHANGED),
                        ("spec.clusterIPs.1", PRESENT),
                        ("spec.ipFamilies.0", "IPv4"),
                        ("spec.ipFamilies.1", "IPv6"),
                    )
                ),
            ),
            ask(
                "dropped",
                alter(_DUAL, (POLICY, "SingleStack")),
                Stored(
                    (
                        ("spec.clusterIPs.0", UNCHANGED),
                        ("spec.clusterIPs.1", None),
                        ("spec.ipFamilies.0", "IPv4"),
                        ("spec.ipFamilies.1", None),
                    )
                ),
            ),
            ask("reduced", alter(_DUAL, ("spec.ipFamilies", ("IPv4",))), Rejected(POLICY)),
        ),
        needs=(dual_stack(),),
        across=API,
        covers=("L01", "L07", "P02"),
    ),
    Case(
        id="API-24",
        promise="On a single-stack cluster two families cannot be required, and are not given when preferred.",
        level=Level.SHOULD,
        sources=(IP_FAMILY_POLICY, DUAL_STACK_PAGE),
        catches=(
            Fault.API_TAKES_INVALID,
            Fault.API_ALLOCATES_NOTHING,
        ),
        given=(),
        steps=(
            ask("require", make(service(called="api-24"), (POLICY, "RequireDualStack")), Rejected(POLICY)),
            ask(
                "prefer",
                make(service(called="api-24"), (POLICY, "PreferDualStack")),
                Stored(
                    (
                        (POLICY, "PreferDualStack"),
                        ("spec.clusterIPs.0", PRESENT),
                        ("spec.clusterIPs.1", None),
                        ("spec.ipFamilies.1", None),
                    )
                ),
            ),
        ),
        needs=(single_stack(),),
        across=API,
        covers=("L07",),
    ),
)
