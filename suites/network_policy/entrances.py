"""Traffic that enters by node ports, load balancers and external IPs, and policies that change under it."""

from __future__ import annotations

from conformance.model.case import (
    Answered,
    Case,
    DestinationRef,
    Level,
    SeenSource,
    ServiceSpec,
    Vantage,
    allow,
    ask,
    becomes,
    block,
    cluster_ip,
    dial,
    external,
    external_ip,
    host,
    load_balancer,
    node_port,
    nodes,
    pod,
    pods,
    policy,
    service,
    vantage,
    ward,
)
from conformance.model.kube import Policy, ServiceType
from conformance.model.outcome import Unanswered
from conformance.spec.faults import Fault
from conformance.spec.sources import (
    EXTERNAL_POLICY,
    NETWORK_POLICIES,
    NETWORK_POLICY_BEHAVIOR,
    NETWORK_POLICY_CONNECTIONS,
    NETWORK_POLICY_IP_BLOCK,
    NETWORK_POLICY_ISOLATION,
)
from suites.network_policy.words import guarded

NP, LB = ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER
_OUTSIDER = external("a")
_OUTSIDE = vantage(Vantage.EXTERNAL)


def _kept(id_: str, what: str, let_in: int, kept_out: int, spec: ServiceSpec, at: DestinationRef, row: str) -> Case:
    """With externalTrafficPolicy Local a policy sees the client: one ward lets it in by address, another excepts it."""
    role = spec.endpoints[0].role
    one = spec.but(endpoints=ward(role, let_in), external_policy=Policy.LOCAL)
    other = spec.but(endpoints=ward(role, kept_out), external_policy=Policy.LOCAL)
    return Case(
        id=id_,
        promise=f"With externalTrafficPolicy Local a policy's ipBlock is compared with the client's address at {what}.",
        level=Level.SHOULD,
        sources=(NETWORK_POLICY_IP_BLOCK, NETWORK_POLICY_BEHAVIOR, EXTERNAL_POLICY),
        catches=(Fault.NETWORK_POLICY_BLOCK_IGNORED, Fault.NETWORK_POLICY_EXCEPT_IGNORED),
        given=(one, other),
        policies=(
            policy(id_.lower(), ward(role, let_in), ingress=(allow(block(_OUTSIDER)),)),
            policy(f"{id_.lower()}-out", ward(role, kept_out), ingress=(allow(block(excepting=(_OUTSIDER,))),)),
        ),
        steps=(
            ask("in", dial(_of(at, one), client=_OUTSIDER), Answered(ward(role, let_in), SeenSource.CLIENT)),
            ask("out", dial(_of(at, other), client=_OUTSIDER), Unanswered()),
        ),
        needs=(nodes(2), _OUTSIDE),
        covers=("O04", row),
    )


def _of(at: DestinationRef, spec: ServiceSpec) -> DestinationRef:
    return DestinationRef(at.kind, at.role, of=spec.name)


def _isolated(id_: str, what: str, number: int, spec: ServiceSpec, at: DestinationRef, row: str) -> Case:
    """What enters at one node for a pod of another is masqueraded on the way, and kept out all the same."""
    return Case(
        id=id_,
        promise=f"Nobody outside the cluster reaches a pod that is isolated for ingress at {what}.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_ISOLATION,),
        catches=(Fault.NETWORK_POLICY_ONE_FAMILY, Fault.NETWORK_POLICY_TCP_ONLY, Fault.NETWORK_POLICY_LETS_NODES_IN),
        given=spec.but(endpoints=ward("b", number)),
        policies=(policy(id_.lower(), ward("b", number)),),
        when=dial(at, client=_OUTSIDER),
        then=Unanswered(),
        needs=(nodes(2), _OUTSIDE),
        covers=(row,),
    )


_CHANGING = guarded("b", 48).but(called="npo-40")
_OPEN = policy("npo-40", ward("b", 48), ingress=(allow(pods(pod("a"))),))
_SHUT = _OPEN.but(ingress=())

ENTRANCES = (
    _isolated("NPO-30", "a node port of another node", 30, service(NP), node_port("a"), "O05"),
    _isolated("NPO-31", "a load balancer's address", 31, service(LB), load_balancer(), "O06"),
    _isolated("NPO-32", "an external IP", 32, service(external_ip=True), external_ip(), "O06"),
    _kept("NPO-33", "a node port", 33, 34, service(NP, endpoints=ward("b", 33)), node_port("b"), "O05"),
    _kept("NPO-34", "a load balancer's address", 35, 36, service(LB, endpoints=ward("a", 35)), load_balancer(), "O06"),
    _kept(
        "NPO-35",
        "an external IP",
        37,
        38,
        service(NP, endpoints=ward("a", 37), external_ip=True),
        external_ip(),
        "O06",
    ),
    Case(
        id="NPO-36",
        promise="With externalTrafficPolicy Cluster a policy sees the client's address, or the node's: either may be.",
        level=Level.MUST,
        sources=(NETWORK_POLICY_BEHAVIOR, NETWORK_POLICY_ISOLATION),
        catches=(Fault.NETWORK_POLICY_ONE_FAMILY, Fault.NETWORK_POLICY_LETS_NODES_IN),
        given=tuple(service(NP, endpoints=ward("b", number)) for number in (40, 41, 42)),
        policies=(
            policy("npo-36-client", ward("b", 40), ingress=(allow(block(_OUTSIDER)),)),
            policy("npo-36-node", ward("b", 41), ingress=(allow(block(host("a"))),)),
            policy("npo-36-neither", ward("b", 42), ingress=(allow(block(host("b"))),)),
        ),
        steps=(
            ask("client", dial(node_port("a", service(NP, endpoints=ward("b", 40)).name), client=_OUTSIDER)),
            ask("node", dial(node_port("a", service(NP, endpoints=ward("b", 41)).name), client=_OUTSIDER)),
            ask(
                "neither",
                dial(node_port("a", service(NP, endpoints=ward("b", 42)).name), client=_OUTSIDER),
                Unanswered(),
            ),
        ),
        needs=(nodes(2), _OUTSIDE),
        covers=("O04", "O05"),
    ),
    Case(
        id="NPO-40",
        promise="A policy that is changed applies to new connections; whether it cuts those that are there is open.",
        level=Level.MUST,
        sources=(NETWORK_POLICIES, NETWORK_POLICY_CONNECTIONS),
        catches=(Fault.NETWORK_POLICY_CHANGE_IGNORED,),
        given=_CHANGING,
        policies=(_OPEN,),
        steps=(
            ask("before", dial(cluster_ip(), client=pod("a"), flow="kept"), Answered(ward("b", 48), SeenSource.CLIENT)),
            becomes(_CHANGING, policies=(_SHUT,)),
            ask("kept", dial(cluster_ip(), client=pod("a"), flow="kept")),
            ask("new", dial(cluster_ip(), client=pod("a")), Unanswered()),
            becomes(_CHANGING, policies=(_OPEN,)),
            ask("again", dial(cluster_ip(), client=pod("a")), Answered(ward("b", 48), SeenSource.CLIENT)),
        ),
        needs=(nodes(2),),
        covers=("O07",),
    ),
)
