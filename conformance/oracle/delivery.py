"""After the translation: which source address each backend sees, and whether its answers find their way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.model.cluster import ClusterState
from conformance.model.kube import Node
from conformance.model.outcome import Outcome, Reaches, Target
from conformance.model.source import Reason
from conformance.oracle.endpoints import Backend
from conformance.oracle.hairpin import masquerades_hairpin
from conformance.oracle.location import home_of, in_pod_network
from conformance.oracle.packet import Origin, Packet, either, own_addresses
from conformance.oracle.ruling import Ruling
from conformance.oracle.traits import Trait, has
from conformance.spec import sources as cite


@dataclass(frozen=True, slots=True)
class _Arrival:
    """How a packet arrives at one backend; ``returns``: its answer surely comes back through the node."""

    sources: frozenset[str]
    returns: bool
    masqueraded: bool


def deliver(state: ClusterState, node: Node, packet: Packet, ruling: Ruling) -> tuple[Outcome, tuple[Reason, ...]]:
    """What becomes of a packet that ``node`` translated to one of the ruling's backends, with the reasons so far."""
    arrivals = [(b, _arrive(state, node, packet, ruling, b)) for b in ruling.backends]
    measured = has(state.proxy, Trait.MEASURED)

    def target(b: Backend, arrival: _Arrival) -> Target:
        sources = arrival.sources if measured else frozenset[str]()
        return Target(b.address, b.port, sources, state.index.pod_at(b.address, b.port))

    targets = frozenset(target(b, a) for b, a in arrivals if a.returns)
    astray = frozenset(target(b, a) for b, a in arrivals if not a.returns)
    reasons = [*ruling.reasons, *_explain(node, packet, ruling, [a for _, a in arrivals])]
    if astray:
        text = (
            f"{node.name} translates but keeps the source {packet.source}: answers of "
            f"{', '.join(sorted(t.address for t in astray))} do not come back through {node.name}, so that nobody "
            "translates them back"
        )
        reasons.append(Reason(text, cite.DESTINATION_NAT))
    # Lost answers are what such a network does, not what the API promises: an answer that does arrive is no failure.
    return Reaches(targets, sticky=ruling.sticky, movable=ruling.movable, astray=astray), tuple(reasons)


def _arrive(state: ClusterState, node: Node, packet: Packet, ruling: Ruling, backend: Backend) -> _Arrival:
    home = home_of(state, backend.address, backend.node)
    here = home == node.name
    hairpin = packet.source == backend.address and packet.origin is not Origin.PROCESS
    loops = hairpin and masquerades_hairpin(state, node, packet, backend)
    # What is delivered to the node itself never meets postrouting, where the masquerading is done.
    inward = node.owns(backend.address) and packet.origin is not Origin.PROCESS
    if (ruling.masquerade or loops) and not inward:
        return _Arrival(own_addresses(node, packet.family), returns=True, masqueraded=True)
    if hairpin:
        return _Arrival(packet.sources, returns=False, masqueraded=False)
    if packet.home == node.name or here:
        # Who is outside the cluster finds the way back to a node, but not surely to a pod.
        known = bool(home) or packet.origin is not Origin.POD or state.pod_masquerade is True
        return _Arrival(_kept(state, node, packet, backend), returns=known, masqueraded=False)
    return _Arrival(packet.sources, returns=False, masqueraded=False)


def _kept(state: ClusterState, node: Node, packet: Packet, backend: Backend) -> frozenset[str]:
    """The source addresses of a packet that kube-proxy does not masquerade; the pod network may, on its way out."""
    inside = in_pod_network(state, backend.address)
    if packet.origin is not Origin.POD or node.owns(backend.address) or inside or state.pod_masquerade is False:
        return packet.sources
    hidden = own_addresses(node, packet.family)
    return hidden if state.pod_masquerade else either(packet.sources, hidden)


def _explain(node: Node, packet: Packet, ruling: Ruling, arrivals: Sequence[_Arrival]) -> tuple[Reason, ...]:
    reasons = []
    masqueraded = [a.masqueraded for a in arrivals]
    if any(masqueraded) and not ruling.masquerade:
        text = f"{packet.source} reaches itself, so it is masqueraded"
        reasons.append(Reason(text, cite.NFTABLES_CODE))
    if ruling.masquerade and any(masqueraded):
        reasons.append(Reason(f"the endpoint sees one of {node.name}'s addresses", cite.SOURCE_IP))
    if ruling.masquerade and not all(masqueraded):
        text = f"an endpoint that is {node.name} itself sees {packet.source}: its packets are not sent out again"
        reasons.append(Reason(text, cite.SOURCE_IP))
    return tuple(reasons)
