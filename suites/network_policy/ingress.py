"""Who may come in through a ClusterIP."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    Level,
    SeenSource,
    Space,
    allow,
    allowed_ports,
    ask,
    axes,
    block,
    cluster_ip,
    dial,
    host,
    nodes,
    pod,
    pods,
    policy,
    ward,
)
from conformance.model.outcome import Unanswered
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    NETWORK_POLICIES,
    NETWORK_POLICY_BEHAVIOR,
    NETWORK_POLICY_IP_BLOCK,
    NETWORK_POLICY_ISOLATION,
    NETWORK_POLICY_PEERS,
    NETWORK_POLICY_PORTS,
    TARGET_PORT,
)
from suites.network_policy.words import EVERY_PROTOCOL, SCTP, TCP, UDP, guarded

# Only on the endpoint's own node are both known, the port that was dialled and the one that it became.
_FAR, _NEAR = dial(cluster_ip(), client=pod("a")), dial(cluster_ip(), client=pod("b"))
_ONLY_A = allow(pods(pod("a")))

INGRESS = (
    Case(
        id="NPO-01",
        promise="Nobody reaches a pod that a policy isolates for ingress through a ClusterIP, in any protocol.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_ISOLATION,),
        catches=(Fault.NETWORK_POLICY_TCP_ONLY, Fault.NETWORK_POLICY_ONE_FAMILY, Fault.NETWORK_POLICY_PAST_SERVICES),
        given=guarded("b", 1),
        policies=(policy("npo-01", ward("b", 1)),),
        steps=(ask("far", _FAR, Unanswered()), ask("near", _NEAR, Unanswered())),
        needs=(nodes(2),),
        across=EVERY_PROTOCOL,
        covers=("O02",),
    ),
    Case(
        id="NPO-02",
        promise="Through a ClusterIP a pod reaches those whose policy lets it in by its labels, and no other pod does.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_PEERS, NETWORK_POLICY_ISOLATION),
        catches=(Fault.NETWORK_POLICY_TCP_ONLY, Fault.NETWORK_POLICY_ONE_FAMILY, Fault.NETWORK_POLICY_PAST_SERVICES),
        given=guarded("b", 2),
        policies=(policy("npo-02", ward("b", 2), ingress=(_ONLY_A,)),),
        steps=(
            ask("in", _FAR, Answered(ward("b", 2), SeenSource.CLIENT)),
            ask("out", _NEAR, Unanswered()),
        ),
        needs=(nodes(2),),
        across=EVERY_PROTOCOL,
        covers=("O02",),
    ),
    Case(
        id="NPO-03",
        promise="A policy's port is the pod's: one that names the targetPort lets in who dials the Service's port.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_PORTS, TARGET_PORT),
        catches=(Fault.NETWORK_POLICY_BEFORE_TRANSLATION,),
        given=guarded("b", 3),
        policies=(
            policy(
                "npo-03", ward("b", 3), ingress=(allow(pods(pod("a"), pod("b")), ports=allowed_ports(TCP, UDP, SCTP)),)
            ),
        ),
        steps=(
            ask("far", _FAR, Answered(ward("b", 3), SeenSource.CLIENT)),
            ask("near", _NEAR, Answered(ward("b", 3), SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        across=EVERY_PROTOCOL,
        covers=("O03",),
    ),
    Case(
        id="NPO-04",
        promise="A policy that names the Service's port, which is not the targetPort, lets nobody in.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_PORTS, TARGET_PORT),
        catches=(Fault.NETWORK_POLICY_BEFORE_TRANSLATION,),
        given=guarded("b", 4),
        policies=(policy("npo-04", ward("b", 4), ingress=(allow(ports=allowed_ports(TCP, UDP, SCTP, number=80)),)),),
        steps=(ask("far", _FAR, Unanswered()), ask("near", _NEAR, Unanswered())),
        needs=(nodes(2),),
        across=EVERY_PROTOCOL,
        covers=("O03",),
    ),
    Case(
        id="NPO-05",
        promise="A policy's named port is the pod's container port of that name and protocol.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_PORTS,),
        catches=(Fault.NETWORK_POLICY_NAMED_PORT_IGNORED, Fault.NETWORK_POLICY_BEFORE_TRANSLATION),
        given=guarded("b", 5),
        policies=(
            policy(
                "npo-05",
                ward("b", 5),
                ingress=(allow(ports=(*allowed_ports(TCP, number="tcp"), *allowed_ports(UDP, number="udp"))),),
            ),
        ),
        steps=(
            ask("far", _FAR, Answered(ward("b", 5), SeenSource.CLIENT)),
            ask("near", _NEAR, Answered(ward("b", 5), SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        covers=("O03",),
    ),
    Case(
        id="NPO-06",
        promise="A policy's range of ports ends with its endPort, that included.",
        level=Level.SHOULD,  # the documentation leaves endPort to plugins that know it
        sources=(NETWORK_POLICY_PORTS,),
        catches=(Fault.NETWORK_POLICY_END_PORT_IGNORED, Fault.NETWORK_POLICY_BEFORE_TRANSLATION),
        given=guarded("b", 6),
        policies=(
            policy("npo-06", ward("b", 6), ingress=(allow(ports=allowed_ports(TCP, UDP, SCTP, around=(-3, 0))),)),
        ),
        steps=(
            ask("far", _FAR, Answered(ward("b", 6), SeenSource.CLIENT)),
            ask("near", _NEAR, Answered(ward("b", 6), SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        across=EVERY_PROTOCOL,
        covers=("O03",),
    ),
    Case(
        id="NPO-07",
        promise="A policy's port is open in the protocol that it names, and in no other.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_PORTS,),
        catches=(Fault.NETWORK_POLICY_PROTOCOL_IGNORED, Fault.NETWORK_POLICY_TCP_ONLY),
        given=guarded("b", 7),
        policies=(policy("npo-07", ward("b", 7), ingress=(allow(ports=allowed_ports(TCP)),)),),
        when=_FAR,
        then=Unanswered(),
        needs=(nodes(2),),
        across=axes(protocol=(UDP, SCTP)),
        covers=("O02",),
    ),
    Case(
        id="NPO-08",
        promise="A policy's peer with both selectors means pods of those labels in namespaces of those labels.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_BEHAVIOR,),
        catches=(Fault.NETWORK_POLICY_SELECTORS_APART,),
        given=(guarded("b", 8), guarded("b", 9)),
        policies=(
            policy("npo-08", ward("b", 8), ingress=(allow(pods(pod("a"), space=Space.OWN)),)),
            policy("npo-08-other", ward("b", 9), ingress=(allow(pods(pod("a"), space=Space.OTHER)),)),
        ),
        steps=(
            ask("in", _FAR, Answered(ward("b", 8), SeenSource.CLIENT)),
            ask("out", _NEAR, Unanswered()),
            ask("other", dial(cluster_ip(of=guarded("b", 9).name), client=pod("a")), Unanswered()),
        ),
        needs=(nodes(2),),
        covers=("O02",),
    ),
    Case(
        id="NPO-09",
        promise="A policy's ipBlock lets in the pod whose address it is, through a ClusterIP too.",
        level=Level.SHOULD,  # the documentation wants blocks beyond the cluster: to Cilium no pod is in one
        sources=(NETWORK_POLICY_IP_BLOCK,),
        catches=(Fault.NETWORK_POLICY_BLOCK_IGNORED,),
        given=guarded("b", 10),
        policies=(policy("npo-09", ward("b", 10), ingress=(allow(block(pod("a"))),)),),
        steps=(
            ask("in", _FAR, Answered(ward("b", 10), SeenSource.CLIENT)),
            ask("out", _NEAR, Unanswered()),
        ),
        needs=(nodes(2),),
        covers=("O02",),
    ),
    Case(
        id="NPO-10",
        promise="Who is excepted from a policy's ipBlock is not let in by it.",
        level=Level.SHOULD,  # likewise
        sources=(NETWORK_POLICY_IP_BLOCK,),
        catches=(Fault.NETWORK_POLICY_EXCEPT_IGNORED, Fault.NETWORK_POLICY_BLOCK_IGNORED),
        given=guarded("b", 11),
        policies=(policy("npo-10", ward("b", 11), ingress=(allow(block(excepting=(pod("b"),))),)),),
        steps=(
            ask("in", _FAR, Answered(ward("b", 11), SeenSource.CLIENT)),
            ask("out", _NEAR, Unanswered()),
        ),
        needs=(nodes(2),),
        covers=("O04",),
    ),
    Case(
        id="NPO-11",
        promise="A policy's rule that lists neither peers nor ports lets everybody in.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_PEERS, NETWORK_POLICY_PORTS),
        catches=(Fault.NETWORK_POLICY_EMPTY_RULE_DENIES,),
        given=guarded("b", 12),
        policies=(policy("npo-11", ward("b", 12), ingress=(allow(),)),),
        when=_FAR,
        then=Answered(ward("b", 12), SeenSource.CLIENT),
        needs=(nodes(2),),
        covers=("O02",),
    ),
    Case(
        id="NPO-12",
        promise="Policies add up: what one of a pod's policies lets in no other keeps out.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_ISOLATION,),
        catches=(Fault.NETWORK_POLICY_UNION_LOST,),
        given=guarded("b", 13),
        policies=(
            policy("npo-12", ward("b", 13)),
            policy("npo-12-lets-in", ward("b", 13), ingress=(_ONLY_A,)),
        ),
        steps=(
            ask("in", _FAR, Answered(ward("b", 13), SeenSource.CLIENT)),
            ask("out", _NEAR, Unanswered()),
        ),
        needs=(nodes(2),),
        covers=("O02",),
    ),
    Case(
        id="NPO-13",
        promise="A policy of another namespace does not isolate a pod.",
        level=Level.MUST,
        sources=(NETWORK_POLICIES,),
        catches=(Fault.NETWORK_POLICY_OF_ANY_NAMESPACE,),
        given=guarded("b", 14),
        policies=(policy("npo-13", (), space=Space.OTHER),),
        when=_FAR,
        then=Answered(ward("b", 14), SeenSource.CLIENT),
        needs=(nodes(2),),
        covers=("O02",),
    ),
    Case(
        id="NPO-14",
        promise="A policy isolates the pods that it selects, and none beside them.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_ISOLATION,),
        catches=(Fault.NETWORK_POLICY_ISOLATES_NAMESPACE,),
        given=guarded("b", 15),
        policies=(policy("npo-14", ward("b", 16)),),
        when=_FAR,
        then=Answered(ward("b", 15), SeenSource.CLIENT),
        needs=(nodes(2),),
        covers=("O02",),
    ),
    Case(
        id="NPO-15",
        promise="A node reaches its own pods through a ClusterIP whatever policies say, and another node does not.",
        level=Level.MUST,
        sources=(NETWORK_POLICIES,),
        catches=(
            Fault.NETWORK_POLICY_KEEPS_NODE_OUT,
            Fault.NETWORK_POLICY_ONE_FAMILY,
            Fault.NETWORK_POLICY_LETS_NODES_IN,
        ),
        given=guarded("b", 17),
        policies=(policy("npo-15", ward("b", 17)),),
        steps=(
            ask("own", dial(cluster_ip(), client=host("b")), Answered(ward("b", 17))),
            ask("other", dial(cluster_ip(), client=host("a")), Unanswered()),
        ),
        needs=(nodes(2),),
        covers=("O02",),
    ),
    Case(
        id="NPO-16",
        promise="A pod is isolated on whichever node it runs.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_ISOLATION,),
        catches=(Fault.NETWORK_POLICY_NOT_ON_EVERY_NODE,),
        given=tuple(guarded(role, 18) for role in "abc"),
        policies=(policy("npo-16", tuple(one for role in "abc" for one in ward(role, 18))),),
        steps=tuple(
            ask(
                role, dial(cluster_ip(of=guarded(role, 18).name), client=pod("a" if role != "a" else "b")), Unanswered()
            )
            for role in "abc"
        ),
        needs=(nodes(3),),
        covers=("O02",),
    ),
)
