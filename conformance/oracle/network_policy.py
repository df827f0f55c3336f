"""What NetworkPolicies leave of what would be reached: who may dial an endpoint, and whom a pod may dial.

A Service's address is translated on the way, and the API does not say whether policies see a packet before or after.
What it does say: pods are told by their labels whatever addresses a packet has, and ports are those of a pod. So a
verdict stands where it is the same for every address that the packet has on its way.
"""

from __future__ import annotations

from collections.abc import Iterable

from conformance.model.addresses import Protocol, contains
from conformance.model.client import Client, ClientKind, Destination
from conformance.model.cluster import ClusterState
from conformance.model.network_policy import NetworkPolicy, Peer, Pod, Policed, PolicyPort, PolicyRule
from conformance.model.outcome import Outcome, Reaches, Target, Unanswered, Unspecified
from conformance.model.source import Reason
from conformance.spec import sources as cite

Step = tuple[Outcome, tuple[Reason, ...]]


def admits(world: Policed, pod: Pod, source: str, port: int, protocol: Protocol) -> bool:
    """Whether ``pod`` may be dialled at its ``port`` by who has the address ``source``."""
    about = [p for p in world.about(pod) if p.ingress is not None]
    rules = (rule for p in about for rule in p.ingress or () if _peers(world, p, rule, source))
    return not about or any(_ports(rule, pod, port, protocol) for rule in rules)


def may_dial(world: Policed, pod: Pod, target: str, port: int, protocol: Protocol) -> bool:
    """Whether ``pod`` may dial ``port`` of who has the address ``target``."""
    about = [p for p in world.about(pod) if p.egress is not None]
    rules = (rule for p in about for rule in p.egress or () if _peers(world, p, rule, target))
    return not about or any(_ports(rule, world.pod_at(target), port, protocol) for rule in rules)


def restrict(state: ClusterState, client: Client, destination: Destination, step: Step) -> Step:
    """What policies leave of ``step``; the same where nobody concerned is isolated."""
    outcome, reasons = step
    if not state.policed.policies or not isinstance(outcome, Reaches):
        return step
    targets = sorted(outcome.targets | outcome.astray, key=lambda t: (t.address, t.port))
    readings = {passes(state, client, destination, target) for target in targets}
    if readings == {True}:
        return step
    if readings == {False}:
        text = f"{_names(state, client, destination, targets)} let {client.name} dial none of the endpoints"
        return Unanswered(), (*reasons, Reason(text, cite.NETWORK_POLICIES))
    if None in readings:
        text = "it depends on whether policies see packets before or after addresses are translated"
        return Unspecified(text), (*reasons, Reason(text, cite.NETWORK_POLICY_BEHAVIOR))
    text = f"policies keep {client.name} from some of the endpoints, and which is chosen is chance"
    return Unspecified(text), (*reasons, Reason(text, cite.NETWORK_POLICIES))


def passes(state: ClusterState, client: Client, destination: Destination, target: Target) -> bool | None:
    """Whether a new connection of ``client`` to ``target`` is let pass; None where the API leaves it open."""
    world, family = state.policed, destination.family
    dialled = world.pod_at(target.address)
    asking = world.pod_at(client.address(family) or "") if client.kind is ClientKind.POD else None
    if not any(world.about(pod) for pod in (asking, dialled) if pod):
        return True
    port, protocol = target.port, destination.protocol
    verdicts: list[bool | None] = []
    if asking:
        near = {target.address, destination.ip}
        out = {may_dial(world, asking, each, port, protocol) for each in near}
        # Pods are told by their labels: whose address the ClusterIP is, no selector knows.
        by_pod = may_dial(world, asking, target.address, port, protocol) if dialled else None
        verdicts.append(True if by_pod and not _by_block(world, asking) else _agreed(out))
        if dialled is None and target.address in _own(state, asking.node):
            verdicts = [True]
    if dialled:
        own = _own(state, dialled.node)
        sources = _sources(state, client, destination) | target.sources
        verdicts.append(_agreed({s in own or admits(world, dialled, s, port, protocol) for s in sources}))
    if asking and dialled == asking:
        # A pod reaches itself whatever policies say; but through its Service it has another address.
        return True if all(verdicts) or destination.ip in asking.addresses else None
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _names(state: ClusterState, client: Client, destination: Destination, targets: Iterable[Target]) -> str:
    """The policies that are about anybody concerned."""
    world = state.policed
    ends = [world.pod_at(target.address) for target in targets]
    ends.append(world.pod_at(client.address(destination.family) or ""))
    return "policies " + ", ".join(sorted({p.key for pod in ends if pod for p in world.about(pod)}))


def _sources(state: ClusterState, client: Client, destination: Destination) -> frozenset[str]:
    own = client.address(destination.family)
    if client.kind is ClientKind.NODE:
        return _own(state, client.node)
    return frozenset({own} if own else ())


def _own(state: ClusterState, node: str) -> frozenset[str]:
    found = state.nodes.get(node)
    return frozenset((*found.addresses, *found.local)) if found else frozenset()


def _agreed(verdicts: Iterable[bool]) -> bool | None:
    every = set(verdicts)
    return every.pop() if len(every) == 1 else None


def _by_block(world: Policed, pod: Pod) -> bool:
    """Whether any policy of the pod's egress names addresses."""
    return any(peer.block for p in world.about(pod) for rule in p.egress or () for peer in rule.peers)


def _peers(world: Policed, policy: NetworkPolicy, rule: PolicyRule, address: str) -> bool:
    return not rule.peers or any(_is(world, policy, peer, address) for peer in rule.peers)


def _is(world: Policed, policy: NetworkPolicy, peer: Peer, address: str) -> bool:
    if peer.block:
        return contains(peer.block.cidr, address) and not any(contains(e, address) for e in peer.block.excepts)
    pod = world.pod_at(address)
    if pod is None:
        return False
    if peer.namespaces is None:
        near = pod.namespace == policy.namespace
    else:
        near = peer.namespaces.matches(world.namespaces.get(pod.namespace, {}))
    return near and (peer.pods is None or peer.pods.matches(pod.labels))


def _ports(rule: PolicyRule, pod: Pod | None, port: int, protocol: Protocol) -> bool:
    return not rule.ports or any(_includes(p, pod, port, protocol) for p in rule.ports)


def _includes(listed: PolicyPort, pod: Pod | None, port: int, protocol: Protocol) -> bool:
    if listed.protocol is not protocol:
        return False
    if isinstance(listed.port, str):
        return pod is not None and (listed.port, protocol, port) in pod.ports
    return listed.port is None or listed.port <= port <= (listed.end or listed.port)
