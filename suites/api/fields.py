"""Single fields: their defaults, their bounds, and with what they go together."""

from __future__ import annotations

from conformance.model.case import (
    PRESENT,
    UNCHANGED,
    Case,
    Level,
    Rejected,
    StaticPort,
    Stored,
    alter,
    ask,
    axes,
    becomes,
    change,
    create,
    make,
    read,
    really,
    service,
)
from conformance.model.kube import Policy, ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    ADMISSION_PAGE,
    AFFINITY_TIMEOUT,
    EXTERNAL_IPS,
    EXTERNAL_NAME,
    EXTERNAL_POLICY,
    HEALTH_CHECK_NODE_PORT,
    INTERNAL_POLICY,
    LOAD_BALANCER_CLASS,
    SERVICE_TYPE,
    SESSION_AFFINITY,
    SOURCE_RANGES,
    TRAFFIC_DISTRIBUTION,
)

API = axes(family=(), protocol=())
NP, LB, EXT = ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER, ServiceType.EXTERNAL_NAME
SECONDS = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
CHECKED = "spec.healthCheckNodePort"

_PLAIN = service(called="api-60")
_STICKY = service(called="api-60", affinity=True)
_LOCAL = service(LB, called="api-61", ingress=(), external_policy=Policy.LOCAL)
_CLUSTER = service(LB, called="api-61-cluster", ingress=())
_FOREIGN = service(LB, called="api-63", ingress=())
_EXTERNAL = service(called="api-65")
_ADDRESS = ("spec.externalIPs", ("192.0.2.65",))
_ODD = service(called="api-66")
_SPECIAL = service(called="api-67")

CASES = (
    Case(
        id="API-60",
        promise="Session affinity lasts three hours unless it says between one second and a day.",
        level=Level.MUST,
        sources=(SESSION_AFFINITY, AFFINITY_TIMEOUT),
        catches=(Fault.API_DEFAULT_MISSING, Fault.API_TAKES_INVALID, Fault.API_REFUSES_VALID),
        given=(),
        steps=(
            ask("default", make(_STICKY), Stored(((SECONDS, 10800),))),
            ask("none", make(_PLAIN), Stored((("spec.sessionAffinity", "None"), ("spec.sessionAffinityConfig", None)))),
            ask("least", make(_STICKY, (SECONDS, 1)), Stored(((SECONDS, 1),))),
            ask("most", make(_STICKY, (SECONDS, 86400)), Stored(((SECONDS, 86400),))),
            ask("zero", make(_STICKY, (SECONDS, 0)), Rejected(SECONDS)),
            ask("negative", make(_STICKY, (SECONDS, -1)), Rejected(SECONDS)),
            ask("beyond", make(_STICKY, (SECONDS, 86401)), Rejected(SECONDS)),
            ask("word", make(_PLAIN, ("spec.sessionAffinity", "Cookie")), Rejected("spec.sessionAffinity")),
        ),
        across=API,
        covers=("F11",),
    ),
    Case(
        id="API-61",
        promise="A load balancer with externalTrafficPolicy Local has a health check node port; nothing else has one.",
        level=Level.MUST,
        sources=(HEALTH_CHECK_NODE_PORT, EXTERNAL_POLICY),
        catches=(
            Fault.API_ALLOCATES_NOTHING,
            Fault.API_KEEPS_ALLOCATED,
            Fault.API_KEEPS_UNUSED,
        ),
        given=(_LOCAL, _CLUSTER),
        steps=(
            ask("born", make(_LOCAL.but(called="api-61-born")), Stored(((CHECKED, PRESENT),))),
            ask("local", alter(_CLUSTER, ("spec.externalTrafficPolicy", "Local")), Stored(((CHECKED, PRESENT),))),
            ask("cluster", alter(_LOCAL, ("spec.externalTrafficPolicy", "Cluster")), Stored(((CHECKED, None),))),
            ask("type", alter(_LOCAL, ("spec.type", "NodePort")), Stored(((CHECKED, None),))),
            ask(
                "again",
                really(
                    create(_LOCAL.but(called="api-61-again"), (CHECKED, StaticPort(6))),
                    change(_LOCAL.but(called="api-61-again"), ("spec.externalTrafficPolicy", "Cluster")),
                    change(
                        _LOCAL.but(called="api-61-again"),
                        ("spec.externalTrafficPolicy", "Local"),
                        (CHECKED, StaticPort(6)),
                    ),
                ),
                Stored(((CHECKED, StaticPort(6)),)),
            ),
            ask(
                "freed",
                really(
                    create(_LOCAL.but(called="api-61-freed"), (CHECKED, StaticPort(8))),
                    change(_LOCAL.but(called="api-61-freed"), ("spec.externalTrafficPolicy", "Cluster")),
                    create(service(NP, called="api-61-heir"), ("spec.ports.0.nodePort", StaticPort(8))),
                ),
                Stored((("spec.ports.0.nodePort", StaticPort(8)),)),
            ),
        ),
        across=API,
        covers=("G15",),
    ),
    Case(
        id="API-62",
        promise="A health check node port in use may not change, and one that would mean nothing is refused.",
        level=Level.MUST,
        sources=(HEALTH_CHECK_NODE_PORT,),
        catches=(
            Fault.API_IMMUTABLE_CHANGES,
            Fault.API_ALLOCATES_ANEW,
            Fault.API_TAKES_INVALID,
        ),
        given=_LOCAL.but(called="api-62"),
        steps=(
            ask("changed", alter(_LOCAL.but(called="api-62"), (CHECKED, StaticPort(7))), Rejected(CHECKED)),
            ask("unsaid", alter(_LOCAL.but(called="api-62"), (CHECKED, None)), Stored(((CHECKED, UNCHANGED),))),
            ask("cluster", make(_CLUSTER.but(called="api-62-cluster"), (CHECKED, StaticPort(7))), Rejected(CHECKED)),
            ask(
                "node-port",
                make(
                    service(NP, called="api-62-np", external_policy=Policy.LOCAL),
                    (CHECKED, StaticPort(7)),
                ),
                Rejected(CHECKED),
            ),
            ask("cluster-ip", make(service(called="api-62-cip"), (CHECKED, StaticPort(7))), Rejected(CHECKED)),
        ),
        across=API,
        covers=("G16",),
    ),
    Case(
        id="API-63",
        promise="A load balancer's class may not change once set, and is a load balancer's alone.",
        level=Level.MUST,
        sources=(LOAD_BALANCER_CLASS,),
        catches=(
            Fault.API_IMMUTABLE_CHANGES,
            Fault.API_KEEPS_UNUSED,
            Fault.API_TAKES_INVALID,
        ),
        given=_FOREIGN,
        steps=(
            ask(
                "changed",
                alter(_FOREIGN, ("spec.loadBalancerClass", "example.com/b")),
                Rejected("spec.loadBalancerClass"),
            ),
            ask("unset", alter(_FOREIGN, ("spec.loadBalancerClass", None)), Rejected("spec.loadBalancerClass")),
            ask("type", alter(_FOREIGN, ("spec.type", "NodePort")), Stored((("spec.loadBalancerClass", None),))),
            ask(
                "elsewhere",
                make(service(NP, called="api-63-np"), ("spec.loadBalancerClass", "example.com/b")),
                Rejected("spec.loadBalancerClass"),
            ),
            ask(
                "malformed",
                make(_FOREIGN.but(called="api-63-bad"), ("spec.loadBalancerClass", "no/such/class")),
                Rejected("spec.loadBalancerClass"),
            ),
        ),
        across=API,
        covers=("D22", "P02"),
    ),
    Case(
        id="API-64",
        promise="A load balancer of another class is left alone by the cluster's own controller.",
        level=Level.MUST,
        sources=(LOAD_BALANCER_CLASS,),
        catches=(Fault.LOAD_BALANCER_CLASS_IGNORED,),
        given=_FOREIGN.but(called="api-64"),
        steps=(
            becomes(_FOREIGN.but(called="api-64")),
            ask(
                "ignored",
                really(read(_FOREIGN.but(called="api-64"))),
                Stored((("status.loadBalancer.ingress", None), ("spec.loadBalancerClass", PRESENT))),
            ),
        ),
        across=API,
        covers=("D22",),
    ),
    Case(
        id="API-65",
        promise="External IPs may be asked for, unless the cluster's admission forbids them.",
        level=Level.CHECK,
        sources=(EXTERNAL_IPS, ADMISSION_PAGE),
        catches=(Fault.API_REFUSES_VALID,),
        given=(),
        steps=(ask("stored", really(create(_EXTERNAL, _ADDRESS)), Stored((("spec.externalIPs.0", PRESENT),))),),
        across=API,
        covers=("C11",),
    ),
    Case(
        id="API-66",
        promise="Fields that contradict the Service's type, or hold no value that they may, are refused by name.",
        level=Level.MUST,
        sources=(SERVICE_TYPE, EXTERNAL_POLICY, INTERNAL_POLICY, SOURCE_RANGES, TRAFFIC_DISTRIBUTION, EXTERNAL_NAME),
        catches=(Fault.API_TAKES_INVALID,),
        given=(),
        steps=(
            ask("type", make(_ODD, ("spec.type", "Ingress")), Rejected("spec.type")),
            ask(
                "headless",
                make(service(NP, called="api-66"), ("spec.clusterIP", "None")),
                Rejected("spec.clusterIPs[0]"),
            ),
            ask(
                "external-policy",
                make(_ODD, ("spec.externalTrafficPolicy", "Local")),
                Rejected("spec.externalTrafficPolicy"),
            ),
            ask(
                "external-word",
                make(service(NP, called="api-66"), ("spec.externalTrafficPolicy", "Near")),
                Rejected("spec.externalTrafficPolicy"),
            ),
            ask(
                "internal-word",
                make(_ODD, ("spec.internalTrafficPolicy", "Near")),
                Rejected("spec.internalTrafficPolicy"),
            ),
            ask(
                "source-ranges",
                make(_ODD, ("spec.loadBalancerSourceRanges", ("192.0.2.0/24",))),
                Rejected("spec.loadBalancerSourceRanges"),
            ),
            ask(
                "source-range",
                make(service(LB, called="api-66", ingress=()), ("spec.loadBalancerSourceRanges", ("192.0.2.0/33",))),
                Rejected("spec.loadBalancerSourceRanges"),
            ),
            ask(
                "distribution",
                make(_ODD, ("spec.trafficDistribution", "PreferFar")),
                Rejected("spec.trafficDistribution"),
            ),
            ask("target", make(_ODD, ("spec.ports.0.targetPort", 65536)), Rejected("spec.ports[0].targetPort")),
            ask(
                "nameless",
                make(service(EXT, called="api-66", external_name="example.com"), ("spec.externalName", None)),
                Rejected("spec.externalName"),
            ),
        ),
        across=API,
    ),
    Case(
        id="API-67",
        promise="Addresses that are no single machine's cannot be external IPs: loopback, link-local, multicast.",
        level=Level.MUST,
        sources=(EXTERNAL_IPS,),
        catches=(Fault.API_TAKES_INVALID,),
        given=(),
        steps=(
            ask("loopback", make(_SPECIAL, ("spec.externalIPs", ("127.0.0.1",))), Rejected("spec.externalIPs[0]")),
            ask("link-local", make(_SPECIAL, ("spec.externalIPs", ("169.254.1.1",))), Rejected("spec.externalIPs[0]")),
            ask("multicast", make(_SPECIAL, ("spec.externalIPs", ("224.0.0.1",))), Rejected("spec.externalIPs[0]")),
        ),
        across=API,
        covers=("C11",),
    ),
)
