"""internalTrafficPolicy: Local means this node's endpoints or nothing."""

from __future__ import annotations

from conformance.model.case import Answered, Case, Level, SeenSource, cluster_ip, dial, host, nodes, on, pod, service
from conformance.model.kube import Policy
from conformance.model.outcome import Dropped, Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import INTERNAL_POLICY, INTERNAL_POLICY_KEP

CASES = (
    Case(
        id="ITP-01",
        promise="With internalTrafficPolicy Local, a pod reaches only the endpoints on its own node.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, INTERNAL_POLICY_KEP),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE,),
        given=service(endpoints=on("a", "b"), internal_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=pod("a")),
        then=Answered(on("a"), source=SeenSource.CLIENT),
        needs=(nodes(2),),
    ),
    Case(
        id="ITP-02",
        promise="With internalTrafficPolicy Local, a pod on a node without endpoints gets no answer and no refusal.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY, INTERNAL_POLICY_KEP),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE, Fault.LOCAL_POLICY_REFUSES),
        given=service(endpoints=on("a"), internal_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=pod("b")),
        then=Dropped(),
        needs=(nodes(2),),
    ),
    Case(
        id="ITP-03",
        promise="With internalTrafficPolicy Local, a node's own process reaches only that node's endpoints.",
        level=Level.MUST,
        sources=(INTERNAL_POLICY,),
        catches=(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE,),
        given=service(endpoints=on("a", "b"), internal_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=host("b")),
        then=Answered(on("b"), source=SeenSource.NODE),
        needs=(nodes(2),),
    ),
    Case(
        id="ITP-04",
        promise="With internalTrafficPolicy Local and no endpoint anywhere, a client is refused.",
        level=Level.SHOULD,
        sources=(INTERNAL_POLICY, INTERNAL_POLICY_KEP),
        catches=(Fault.NO_ENDPOINTS_DROPS, Fault.NO_ENDPOINTS_ANSWERS),
        given=service(endpoints=on(), internal_policy=Policy.LOCAL),
        when=dial(cluster_ip(), client=pod("a")),
        then=Refused(RefusedBy.ICMP),
    ),
)

MATRICES = ()
