"""What one node's rules do with one packet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from conformance.model.addresses import contains
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node
from conformance.model.source import Reason
from conformance.oracle import policy
from conformance.oracle.affinity import affinity
from conformance.oracle.capture import Capture, Role, accepts_node_ports, captures, is_cluster_ip, node_port_captures
from conformance.oracle.endpoints import Backend, Usable, usable
from conformance.oracle.packet import Origin, Packet
from conformance.oracle.source_ranges import admission
from conformance.oracle.traits import Trait, has
from conformance.spec import sources as cite


class Verb(Enum):
    """What happens to the packet."""

    FORWARD = "forward"  # translated to one of the backends
    REJECT = "reject"
    DROP = "drop"
    UNTOUCHED = "untouched"  # no rule of kube-proxy's touches it
    OPEN = "open"  # the API or the documentation leaves it open; the last reason says why


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verb, the argument for it, and for FORWARD where to and how."""

    verb: Verb
    reasons: tuple[Reason, ...]
    backends: tuple[Backend, ...] = ()
    masquerade: bool = False
    sticky: bool = False
    movable: bool = False

    @property
    def addresses(self) -> frozenset[tuple[str, int, str]]:
        """Where to, without what slices say of its condition: address, port, node."""
        return frozenset((b.address, b.port, b.node) for b in self.backends)


def rule(state: ClusterState, node: Node, packet: Packet, local: bool) -> Ruling:
    """What ``node`` does with ``packet``; ``local`` says that the address dialled is the node's own."""
    by_address = captures(state, packet)
    by_number = node_port_captures(state, packet) if local else ()
    if not by_address and not by_number:
        return _unclaimed(state, packet)
    if not by_number:
        return _contest(state, node, packet, by_address, local)
    served = _contest(state, node, packet, by_number, local)
    if not by_address:
        return served
    first = _contest(state, node, packet, by_address, local)
    # An address without endpoints is in no dispatching rule, so that its packets go on to the node ports.
    return served if first.verb is Verb.REJECT and served.verb is Verb.FORWARD else first


def _contest(state: ClusterState, node: Node, packet: Packet, claims: tuple[Capture, ...], local: bool) -> Ruling:
    """What ``node`` does with a packet that ``claims`` are laid to; only those with endpoints are dispatched."""
    rulings = [_by_every_reading(state, node, packet, claim, local) for claim in claims]
    served = [r for r in rulings if r.verb is Verb.FORWARD]
    # Who has no endpoints is in no dispatching rule, and what others dispatched meets no refusing one.
    yielding = all(r.verb in {Verb.FORWARD, Verb.REJECT, Verb.UNTOUCHED} for r in rulings)
    rivals = served if served and yielding else rulings
    if len(rivals) == 1:
        return rivals[0]
    names = ", ".join(f"{c.service.key} ({c.role.value})" for c in claims)
    text = f"several Services claim {packet.ip} port {packet.port}: {names}; which one gets it is not promised"
    return _whichever(rivals, Reason(text, cite.EXTERNAL_IPS))


def _by_every_reading(state: ClusterState, node: Node, packet: Packet, claim: Capture, local: bool) -> Ruling:
    what = f"{packet.ip} port {packet.port}/{packet.protocol.value} is a {claim.role.value} of {claim.service.key}"
    opening = Reason(f"{what}, so the rules of {node.name} decide", _ROLE_SOURCE[claim.role])
    readings = usable(state, claim.service, claim.port, packet.family, node)
    text = "EndpointSlices contradict each other about an address; which of them counts is not defined"
    doubt = Reason(text, cite.SLICE_CACHE_CODE)
    if not readings:
        return Ruling(Verb.OPEN, (opening, doubt))
    rulings = [_claimed(state, node, packet, _Matter(claim, choice, local, opening)) for choice in readings]
    return _whichever(rulings, doubt, (opening,))


def _whichever(rulings: Sequence[Ruling], doubt: Reason, before: tuple[Reason, ...] = ()) -> Ruling:
    """What holds whichever of ``rulings`` is made; ``doubt`` says why that is not known, ``before`` what is."""
    first = rulings[0]
    if len({(r.verb, r.masquerade, r.sticky, r.movable, r.addresses) for r in rulings}) == 1:
        return first
    alike = all(r.verb is Verb.FORWARD and r.masquerade is first.masquerade for r in rulings)
    if not alike:
        return Ruling(Verb.OPEN, (*before, doubt))
    backends = tuple(sorted({b for r in rulings for b in r.backends}))
    sticky = all(r.sticky or len(r.backends) == 1 for r in rulings)
    return replace(first, reasons=(*first.reasons, doubt), backends=backends, sticky=sticky, movable=not sticky)


@dataclass(frozen=True, slots=True)
class _Matter:
    """What a claimed packet is about; ``opening`` is the first reason for whatever becomes of it."""

    claim: Capture
    choice: Usable
    local: bool
    opening: Reason


def _claimed(state: ClusterState, node: Node, packet: Packet, matter: _Matter) -> Ruling:
    service, role, choice = matter.claim.service, matter.claim.role, matter.choice
    reasons: tuple[Reason, ...] = (matter.opening,)
    if role is Role.LOAD_BALANCER and (choice.somewhere or has(state.proxy, Trait.RANGES_FIRST)):
        admitted, why = admission(state, node, service, packet)
        reasons = (*reasons, *why)
        if not admitted:
            return Ruling(Verb.DROP, reasons)
    if role is Role.NODE_PORT and not accepts_node_ports(state, node, packet.ip):
        return _unserved_address(state, packet, matter)
    if not choice.somewhere:
        return _without_endpoints(state, packet, matter, reasons)
    decision = policy.decide(state, node, packet, matter.claim, choice)
    reasons = (*reasons, *decision.reasons)
    if decision.open:
        return Ruling(Verb.OPEN, reasons)
    if not decision.backends:
        return Ruling(Verb.DROP, reasons)
    memory = affinity(state, node, packet, matter.claim, choice)
    return Ruling(
        Verb.FORWARD,
        (*reasons, *memory.reasons),
        decision.backends,
        masquerade=decision.masquerade,
        sticky=memory.sticky,
        movable=memory.movable,
    )


def _without_endpoints(state: ClusterState, packet: Packet, matter: _Matter, reasons: tuple[Reason, ...]) -> Ruling:
    reasons = (*reasons, *matter.choice.cluster.reasons)
    # An address of the node's own comes back through the input hook, where every mode checks.
    own = packet.origin is Origin.PROCESS and not matter.local
    outer = matter.claim.role in {Role.EXTERNAL_IP, Role.LOAD_BALANCER}
    if own and outer and not has(state.proxy, Trait.CHECKS_OWN_PACKETS):
        text = f"in {state.proxy.mode.value} mode the node's own packets to external addresses skip that check"
        return Ruling(Verb.UNTOUCHED, (*reasons, Reason(text, cite.IPTABLES_CODE)))
    return Ruling(Verb.REJECT, (*reasons, Reason("a Service without endpoints refuses", cite.VIRTUAL_IPS)))


def _unserved_address(state: ClusterState, packet: Packet, matter: _Matter) -> Ruling:
    """A node port at an address of the node that does not serve node ports."""
    choice = matter.choice
    unserved = matter.opening, Reason(f"node ports are not served at {packet.ip}", cite.NODE_PORT_ADDRESSES)
    if has(state.proxy, Trait.CLOSES_EVERY_NODE_PORT):
        filtered = Reason("its no-endpoint verdict holds on every address of the node", cite.IPTABLES_CODE)
        if not choice.somewhere:
            return Ruling(Verb.REJECT, (*unserved, *choice.cluster.reasons, filtered))
        if policy.is_external_local(matter.claim) and not choice.local.backends:
            return Ruling(Verb.DROP, (*unserved, *choice.local.reasons, filtered))
    return Ruling(Verb.UNTOUCHED, unserved)


def _unclaimed(state: ClusterState, packet: Packet) -> Ruling:
    mode = state.proxy.mode.value
    if is_cluster_ip(state, packet.ip):
        text = f"{packet.ip} is a ClusterIP, but no Service has port {packet.port}/{packet.protocol.value} there"
        nothing = Reason(text, cite.CLUSTER_IP)
        if has(state.proxy, Trait.REJECTS_UNUSED_PORTS):
            return Ruling(Verb.REJECT, (nothing, Reason(f"{mode} mode refuses such packets", cite.NFTABLES_KEP)))
        return Ruling(
            Verb.UNTOUCHED, (nothing, Reason(f"{mode} mode has no rule for such packets", cite.IPTABLES_CODE))
        )
    in_range = any(contains(c, packet.ip) for c in state.proxy.service_cidrs)
    if in_range and has(state.proxy, Trait.DROPS_UNALLOCATED_IPS):
        text = f"{packet.ip} is in the Service CIDR, but no Service that kube-proxy serves has it"
        return Ruling(Verb.DROP, (Reason(text, cite.NFTABLES_CODE),))
    return Ruling(
        Verb.UNTOUCHED, (Reason(f"no rule of kube-proxy's is about {packet.ip} port {packet.port}", cite.VIRTUAL_IPS),)
    )


_ROLE_SOURCE = {
    Role.CLUSTER_IP: cite.CLUSTER_IP,
    Role.EXTERNAL_IP: cite.EXTERNAL_IPS,
    Role.LOAD_BALANCER: cite.IP_MODE,
    Role.NODE_PORT: cite.NODE_PORT,
}
