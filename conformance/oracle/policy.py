"""internalTrafficPolicy and externalTrafficPolicy: which backends, and whether the source address is masqueraded."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.model.cluster import ClusterState
from conformance.model.kube import Node, Policy
from conformance.model.source import Reason
from conformance.oracle.capture import Capture, Role, external_policy
from conformance.oracle.detect import detects, is_pod_traffic
from conformance.oracle.endpoints import Backend, Usable
from conformance.oracle.packet import Origin, Packet
from conformance.oracle.traits import Trait, has
from conformance.spec import sources as cite


@dataclass(frozen=True, slots=True)
class Decision:
    """Backends (none: dropped), whether packets to them are masqueraded, and why; ``open``: nothing is promised."""

    backends: tuple[Backend, ...]
    masquerade: bool
    reasons: tuple[Reason, ...]
    open: bool = False


def is_external_local(claim: Capture) -> bool:
    """Whether externalTrafficPolicy Local governs the address."""
    return claim.role is not Role.CLUSTER_IP and external_policy(claim.service) is Policy.LOCAL


def decide(state: ClusterState, node: Node, packet: Packet, claim: Capture, choice: Usable) -> Decision:
    """What the policy of the address says about ``packet`` on ``node``."""
    if claim.role is Role.CLUSTER_IP:
        return _internal(state, node, packet, claim, choice)
    if external_policy(claim.service) is Policy.CLUSTER:
        reason = Reason("externalTrafficPolicy Cluster: any endpoint, masqueraded", cite.EXTERNAL_POLICY)
        return Decision(choice.cluster.backends, True, (reason, *choice.cluster.reasons))
    return _external_local(state, node, packet, choice)


def _internal(state: ClusterState, node: Node, packet: Packet, claim: Capture, choice: Usable) -> Decision:
    masquerade, why = _internal_masquerade(state, node, packet)
    if claim.service.internal_policy is Policy.CLUSTER:
        return Decision(choice.cluster.backends, masquerade, (*choice.cluster.reasons, *why))
    policy = Reason(f"internalTrafficPolicy Local: only endpoints on {node.name}", cite.INTERNAL_POLICY)
    if choice.local.backends:
        return Decision(choice.local.backends, masquerade, (policy, *choice.local.reasons, *why))
    elsewhere = Reason("there are usable endpoints elsewhere, so it drops", cite.INTERNAL_POLICY_KEP)
    silent = not has(state.proxy, Trait.SHORT_CIRCUITS_LOCAL_POLICY)
    return Decision((), False, (policy, *choice.local.reasons, _unmeasured() if silent else elsewhere), open=silent)


def _internal_masquerade(state: ClusterState, node: Node, packet: Packet) -> tuple[bool, tuple[Reason, ...]]:
    if state.proxy.masquerade_all:
        return True, (Reason("masqueradeAll: every packet to a ClusterIP is masqueraded", cite.MASQUERADE_ALL),)
    if not detects(state, node, packet.family):
        return False, (Reason("without a local-traffic detector nothing is masqueraded", cite.DETECT_LOCAL),)
    if is_pod_traffic(state, node, packet):
        return False, (Reason(f"{packet.source} is a pod's: its address is kept", cite.DETECT_LOCAL),)
    return True, (Reason(f"{packet.source} is no pod's, so it is masqueraded", cite.DETECT_LOCAL),)


def _external_local(state: ClusterState, node: Node, packet: Packet, choice: Usable) -> Decision:
    if has(state.proxy, Trait.SHORT_CIRCUITS_LOCAL_POLICY):
        if detects(state, node, packet.family) and is_pod_traffic(state, node, packet):
            text = f"{packet.source} is a pod's: externalTrafficPolicy Local is short-circuited, its address kept"
            reason = Reason(text, cite.EXTERNAL_POLICY)
            return Decision(choice.cluster.backends, False, (reason, *choice.cluster.reasons))
        if packet.origin is Origin.PROCESS:
            text = f"{packet.source} is {node.name}'s own: policy Local is short-circuited, masqueraded"
            reason = Reason(text, cite.EXTERNAL_POLICY)
            return Decision(choice.cluster.backends, True, (reason, *choice.cluster.reasons))
    elif packet.origin is not Origin.WIRE or not choice.local.backends:
        return Decision((), False, (_unmeasured(),), open=True)
    policy = Reason(f"externalTrafficPolicy Local: only endpoints on {node.name}", cite.EXTERNAL_POLICY)
    if choice.local.backends:
        kept = Reason("the client's address is kept", cite.SOURCE_IP)
        return Decision(choice.local.backends, False, (policy, *choice.local.reasons, kept))
    elsewhere = Reason("there are usable endpoints elsewhere, so it drops", cite.EXTERNAL_POLICY)
    return Decision((), False, (policy, *choice.local.reasons, elsewhere))


def _unmeasured() -> Reason:
    return Reason("how IPVS mode treats policy Local here is neither documented nor measured", cite.IPVS_CODE)
