"""Whom an isolated pod may dial at a ClusterIP, and what policies do to a pod that dials itself."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Breed,
    Case,
    Level,
    SeenSource,
    Space,
    allow,
    allowed_ports,
    ask,
    block,
    cluster_ip,
    dial,
    nodes,
    on,
    pod,
    pods,
    policy,
    service,
    ward,
)
from conformance.model.outcome import Unanswered
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    NETWORK_POLICIES,
    NETWORK_POLICY_BEHAVIOR,
    NETWORK_POLICY_EGRESS,
    NETWORK_POLICY_ISOLATION,
    NETWORK_POLICY_PORTS,
    NETWORK_POLICY_TYPES,
    TARGET_PORT,
)
from suites.network_policy.words import EVERY_PROTOCOL, SCTP, TCP, THREE_PORTS, UDP, caller, guarded

_RAW = on("b", breed=Breed.RAW)
_FREE = service(endpoints=_RAW, ports=THREE_PORTS, called="npo-free")
"""Nobody's policy is about its endpoint."""
_BY_ADDRESS = service(endpoints=_RAW, ports=THREE_PORTS, called="npo-by-address")
_AT_OWN = allowed_ports(TCP, UDP, SCTP)

EGRESS = (
    Case(
        id="NPO-20",
        promise="A pod that a policy isolates for egress reaches nobody at a ClusterIP, in any protocol.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_ISOLATION, NETWORK_POLICY_TYPES),
        catches=(
            Fault.NETWORK_POLICY_INGRESS_ONLY,
            Fault.NETWORK_POLICY_TCP_ONLY,
            Fault.NETWORK_POLICY_ONE_FAMILY,
            Fault.NETWORK_POLICY_PAST_SERVICES,
        ),
        given=_FREE,
        policies=(policy("npo-20", ward("a", 20), types=("Egress",)),),
        when=dial(cluster_ip(), client=caller("a", 20)),
        then=Unanswered(),
        needs=(nodes(2),),
        across=EVERY_PROTOCOL,
        covers=("O02",),
    ),
    Case(
        id="NPO-21",
        promise="A pod that may dial pods of certain labels at their port reaches them through a ClusterIP at another.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_EGRESS, NETWORK_POLICY_PORTS, TARGET_PORT),
        catches=(Fault.NETWORK_POLICY_BY_SERVICE_ADDRESS, Fault.NETWORK_POLICY_BEFORE_TRANSLATION),
        given=_FREE,
        policies=(policy("npo-21", ward("a", 21), egress=(allow(pods(*_RAW), ports=_AT_OWN),), types=("Egress",)),),
        when=dial(cluster_ip(), client=caller("a", 21)),
        then=Answered(_RAW, SeenSource.CLIENT),
        needs=(nodes(2),),
        across=EVERY_PROTOCOL,
        covers=("O02", "O03"),
    ),
    Case(
        id="NPO-22",
        promise="A pod that may dial pods of certain namespaces reaches them through a ClusterIP, and no others.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_EGRESS, NETWORK_POLICY_BEHAVIOR),
        catches=(Fault.NETWORK_POLICY_BY_SERVICE_ADDRESS, Fault.NETWORK_POLICY_INGRESS_ONLY),
        given=_FREE,
        policies=(
            policy("npo-22", ward("a", 22), egress=(allow(pods(space=Space.OWN)),), types=("Egress",)),
            policy("npo-22-other", ward("a", 23), egress=(allow(pods(space=Space.OTHER)),), types=("Egress",)),
        ),
        steps=(
            ask("own", dial(cluster_ip(), client=caller("a", 22)), Answered(_RAW, SeenSource.CLIENT)),
            ask("other", dial(cluster_ip(), client=caller("a", 23)), Unanswered()),
        ),
        needs=(nodes(2),),
        covers=("O02",),
    ),
    Case(
        id="NPO-23",
        promise="A policy for egress that names the Service's port, not the targetPort, lets nobody be dialled.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_EGRESS, NETWORK_POLICY_PORTS, TARGET_PORT),
        catches=(Fault.NETWORK_POLICY_BEFORE_TRANSLATION, Fault.NETWORK_POLICY_INGRESS_ONLY),
        given=_FREE,
        policies=(
            policy(
                "npo-23",
                ward("a", 24),
                egress=(allow(pods(*_RAW), ports=allowed_ports(TCP, UDP, SCTP, number=80)),),
                types=("Egress",),
            ),
        ),
        when=dial(cluster_ip(), client=caller("a", 24)),
        then=Unanswered(),
        needs=(nodes(2),),
        across=EVERY_PROTOCOL,
        covers=("O03",),
    ),
    Case(
        id="NPO-24",
        promise="A policy isolates in the directions that its policyTypes name, and in no other.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_TYPES, NETWORK_POLICY_ISOLATION),
        catches=(Fault.NETWORK_POLICY_ISOLATES_BOTH_WAYS,),
        given=(_FREE, guarded("b", 25)),
        policies=(
            policy("npo-24", ward("b", 25), types=("Egress",)),
            policy("npo-24-in", ward("a", 26), types=("Ingress",)),
        ),
        steps=(
            ask(
                "in",
                dial(cluster_ip(of=guarded("b", 25).name), client=pod("a")),
                Answered(ward("b", 25), SeenSource.CLIENT),
            ),
            ask("out", dial(cluster_ip(of=_FREE.name), client=caller("a", 26)), Answered(_RAW, SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        covers=("O02",),
    ),
    Case(
        id="NPO-25",
        promise="An ipBlock lets no endpoint be dialled that is not in it; one of the ClusterIP may, or may not.",
        level=Level.SHOULD,
        sources=(NETWORK_POLICY_BEHAVIOR,),
        catches=(Fault.NETWORK_POLICY_INGRESS_ONLY,),
        given=(_FREE, _BY_ADDRESS),
        policies=(
            policy("npo-25", ward("a", 27), egress=(allow(block(cluster_ip(of=_BY_ADDRESS.name))),), types=("Egress",)),
        ),
        steps=(
            ask("free", dial(cluster_ip(of=_FREE.name), client=caller("a", 27)), Unanswered()),
            ask("named", dial(cluster_ip(of=_BY_ADDRESS.name), client=caller("a", 27))),
        ),
        needs=(nodes(2),),
        covers=("O03",),
    ),
    Case(
        id="NPO-26",
        promise="An isolated pod is dialled by no other; through its own Service it may reach itself, or may not.",
        level=Level.MUST,
        sources=(NETWORK_POLICIES, NETWORK_POLICY_BEHAVIOR),
        catches=(Fault.NETWORK_POLICY_TCP_ONLY, Fault.NETWORK_POLICY_ONE_FAMILY),
        given=guarded("b", 28),
        policies=(policy("npo-26", ward("b", 28), types=("Ingress", "Egress")),),
        steps=(
            ask("other", dial(cluster_ip(), client=pod("a")), Unanswered()),
            ask("itself", dial(cluster_ip(), client=caller("b", 28))),
        ),
        needs=(nodes(2),),
        covers=("O02",),
    ),
)
