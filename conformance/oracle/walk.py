"""A packet's way through the cluster: first its own node's rules, then those of the node whose address it dialled."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from conformance.model.addresses import Protocol, is_nobodys, parsed
from conformance.model.client import Client, ClientKind, Destination
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node
from conformance.model.outcome import (
    Dropped,
    Expectation,
    Outcome,
    Reaches,
    Refused,
    RefusedBy,
    Target,
    Unanswered,
    Unspecified,
)
from conformance.model.source import Reason
from conformance.oracle.delivery import deliver
from conformance.oracle.host_port import mapped, with_host_port
from conformance.oracle.location import home_of, in_pod_network, owner_of
from conformance.oracle.network_policy import restrict
from conformance.oracle.packet import Origin, Packet, either, own_addresses
from conformance.oracle.ruling import Ruling, Verb, rule
from conformance.oracle.traits import Trait, has
from conformance.spec import sources as cite

# In iptables mode a rule drops what is invalid to connection tracking.
_HALF = "which need not see the answers, and may take the rest of half a connection for invalid"
_ECHO = "whether an address answers echo requests is for whoever has it"

Step = tuple[Outcome, tuple[Reason, ...]]


def expect(state: ClusterState, client: Client, destination: Destination) -> Expectation:
    """What must happen when ``client`` dials ``destination`` in ``state``, and why.

    Total (every client and destination has an expectation, `Unspecified` where the API leaves it open), pure and
    deterministic: the order of Services, slices and endpoints does not matter.
    """
    outcome, reasons = restrict(state, client, destination, _start(state, client, destination))
    proxy = state.at(client.node).proxy
    if not has(proxy, Trait.MEASURED):
        text = f"{proxy.mode.value} mode is known from its documentation; it was not measured"
        reasons = (Reason(text, cite.IPVS_CODE), *reasons)
    return Expectation(outcome, reasons)


def _start(state: ClusterState, client: Client, destination: Destination) -> Step:
    node = state.nodes.get(client.node)
    if node is None:
        return _open(f"{client.name} is on node {client.node or '(none)'}, which the cluster does not have")
    packet = _first_packet(client, node, destination)
    if isinstance(packet, str):
        return _open(packet)
    owner = _owner(state, client, destination)
    if client.kind is not ClientKind.EXTERNAL or owner is None:
        return _at(state, node, packet, owner)
    outcome, reasons = _at(state, owner, packet, owner)
    if isinstance(outcome, Reaches) and owner is not node and in_pod_network(state, packet.ip):
        outcome = _past_the_way(outcome)
        reasons = (*reasons, Reason(f"{packet.ip} is reached through {node.name}, {_HALF}", cite.VIRTUAL_IPS))
    return outcome, reasons


def _first_packet(client: Client, node: Node, destination: Destination) -> Packet | str:
    """The packet as its first node sees it, or why there is none."""
    family = destination.family
    loopback = parsed(destination.ip).is_loopback
    if loopback and client.kind is not ClientKind.NODE:
        return f"{destination.ip} never leaves {client.name}"
    own = client.address(family)
    match client.kind:
        case ClientKind.NODE:
            # The route decides; towards anything but the node's own addresses that is its primary address.
            at_home = loopback or node.owns(destination.ip)
            source = destination.ip if at_home else own or node.primary(family)
            sources = frozenset({destination.ip}) if loopback else own_addresses(node, family)
            origin, home = Origin.PROCESS, node.name
        case ClientKind.POD:
            source, sources, origin, home = own, frozenset({own} if own else ()), Origin.POD, node.name
        case ClientKind.EXTERNAL:
            source, sources, origin, home = own, frozenset({own} if own else ()), Origin.WIRE, ""
        case ClientKind.API:
            return "the API server dials nobody"
        case other:
            assert_never(other)
    if source is None:
        return f"{client.name} has no {family.value} address"
    return Packet(source, sources, home, origin, destination.ip, destination.port, destination.protocol)


def _owner(state: ClusterState, client: Client, destination: Destination) -> Node | None:
    """The node whose own address is dialled."""
    if parsed(destination.ip).is_loopback:
        return state.nodes.get(client.node)
    return owner_of(state, destination.ip) or state.nodes.get(destination.node)


def _at(state: ClusterState, node: Node, packet: Packet, owner: Node | None) -> Step:
    """The packet meets the rules of ``node``."""
    state = state.at(node.name)
    ruling = rule(state, node, packet, local=owner is not None and owner.name == node.name)
    if owner is node and (found := mapped(state, node, packet)):
        return with_host_port(state, node, packet, ruling, found)
    match ruling.verb:
        case Verb.FORWARD:
            return deliver(state, node, packet, ruling)
        case Verb.REJECT:
            return Refused(RefusedBy.ICMP), ruling.reasons
        case Verb.DROP:
            return Dropped(), ruling.reasons
        case Verb.OPEN:
            return Unspecified(ruling.reasons[-1].text), ruling.reasons
        case Verb.UNTOUCHED:
            return _onward(state, node, packet, owner, ruling)
        case other:
            assert_never(other)


def _onward(state: ClusterState, node: Node, packet: Packet, owner: Node | None, ruling: Ruling) -> Step:
    """No rule of ``node`` touched the packet: it is delivered here, goes to the owner, or leaves."""
    if owner is None:
        return _leave(state, node, packet, ruling.reasons)
    if owner.name == node.name:
        return _locally(state, node, packet, ruling.reasons)
    way = Reason(f"{node.name} has no rule for {packet.ip}; it is {owner.name}'s address", cite.VIRTUAL_IPS)
    if packet.origin is not Origin.POD:
        return _prefixed((way,), _at(state, owner, _sent(packet), owner))
    kept = Reason(f"the pod network keeps {packet.source} on the way", cite.SOURCE_IP)
    hidden = Reason(f"the pod network masquerades {packet.source} on the way", cite.SOURCE_IP)
    as_pod = _prefixed((way, kept), _at(state, owner, _sent(packet), owner))
    as_node = _prefixed((way, hidden), _at(state, owner, _sent(packet, node), owner))
    if state.pod_masquerade is False or in_pod_network(state, packet.ip):
        return as_pod
    return as_node if state.pod_masquerade else _whichever(as_pod, as_node)


def _sent(packet: Packet, masqueraded_by: Node | None = None) -> Packet:
    """``packet`` as the next node sees it."""
    source, sources = packet.source, packet.sources
    if masqueraded_by is not None:
        source = masqueraded_by.primary(packet.family) or source
        sources = own_addresses(masqueraded_by, packet.family)
    return Packet(source, sources, packet.home, Origin.WIRE, packet.ip, packet.port, packet.protocol)


def _whichever(one: Step, other: Step) -> Step:
    """What holds whether or not the pod network masquerades."""
    first, second = one[0], other[0]
    if isinstance(first, Reaches) and isinstance(second, Reaches) and _sourceless(first) == _sourceless(second):
        seen = {(t.address, t.port): t.sources for t in second.targets}
        targets = frozenset(replace(t, sources=either(t.sources, seen[(t.address, t.port)])) for t in first.targets)
        return replace(first, targets=targets), one[1]
    if first == second:
        return one
    text = "it depends on whether the pod network masquerades pods' packets to other nodes, which the API leaves open"
    return Unspecified(text), (*one[1], *other[1], Reason(text, cite.SOURCE_IP))


def _sourceless(outcome: Reaches) -> Reaches:
    """``outcome`` without a word on the source addresses seen."""
    bare = (frozenset(replace(t, sources=frozenset()) for t in them) for them in (outcome.targets, outcome.astray))
    targets, astray = bare
    return replace(outcome, targets=targets, astray=astray)


def _locally(state: ClusterState, node: Node, packet: Packet, reasons: tuple[Reason, ...]) -> Step:
    """The packet is for ``node`` itself: an endpoint of the host network listens there, or nobody does."""
    if packet.protocol is Protocol.ICMP:
        return _open(_ECHO, reasons)
    pod = state.index.pod_at(packet.ip, packet.port) if _is_endpoint(state, packet) else ""
    if pod:
        why = Reason(f"{pod} listens there on {node.name}'s own network", cite.SLICE_PORTS)
        return Reaches(frozenset({Target(packet.ip, packet.port, packet.sources, pod)})), (*reasons, why)
    if packet.port in state.index.health_checks and packet.protocol is Protocol.TCP:
        return _open("kube-proxy's health check server listens there", reasons)
    if packet.protocol is Protocol.SCTP:
        # A kernel with SCTP aborts, one without says so by ICMP, and any raw socket keeps it silent.
        nobody = f"nobody answers at that port of {node.name}; how is for its kernel to say"
        return Unanswered(), (*reasons, Reason(nobody, cite.VIRTUAL_IPS))
    by = RefusedBy.RST if packet.protocol is Protocol.TCP else RefusedBy.ICMP
    source = cite.CLOSED_UDP_PORT if packet.protocol is Protocol.UDP else cite.CLOSED_PORT
    return Refused(by), (*reasons, Reason(f"nothing listens at that port of {node.name}: closed", source))


def _leave(state: ClusterState, node: Node, packet: Packet, reasons: tuple[Reason, ...]) -> Step:
    """The address is no node's: an endpoint's own, or the network beyond decides."""
    if _is_endpoint(state, packet):
        pod = state.index.pod_at(packet.ip, packet.port)
        why = Reason("it is an endpoint's own address, past every Service", cite.NETWORK_MODEL)
        # Between pods nothing is translated; towards other addresses the pod network may, and a node chooses its own.
        kept = state.pod_masquerade is False or in_pod_network(state, packet.ip)
        sources = packet.sources if packet.origin is Origin.POD and kept else frozenset[str]()
        target = frozenset({Target(packet.ip, packet.port, sources, pod)})
        if packet.home or home_of(state, packet.ip) == node.name:
            return Reaches(target), (*reasons, why)
        past = Reason(f"it is reached through {node.name}, {_HALF}", cite.VIRTUAL_IPS)
        return _past_the_way(Reaches(target)), (*reasons, why, past)
    if packet.protocol is Protocol.ICMP and (packet.ip in state.homes or in_pod_network(state, packet.ip)):
        return _open(_ECHO, reasons)
    if packet.ip in state.homes:
        return _open("it is somebody's own address, and whether anything listens at that port is not for us", reasons)
    if packet.ip in state.index.past_nodes and not state.closed and not is_nobodys(packet.ip):
        return _open("the load balancer itself answers for an address of ipMode Proxy, or does not", reasons)
    text = f"it leaves {node.name} like any other packet, and nobody out there has {packet.ip}"
    return Unanswered(), (*reasons, Reason(text, cite.VIRTUAL_IPS))


def _past_the_way(outcome: Reaches) -> Reaches:
    """``outcome`` where answers need not take the way that the question took."""
    return replace(outcome, targets=frozenset(), astray=outcome.targets | outcome.astray)


def _is_endpoint(state: ClusterState, packet: Packet) -> bool:
    """Whether a serving endpoint has exactly the address, port and protocol that was dialled."""
    return any(
        p.port == packet.port and p.protocol is packet.protocol and e.serving and e.addresses[:1] == (packet.ip,)
        for s, e in state.index.endpoints(packet.ip)
        for p in s.ports
    )


def _prefixed(reasons: tuple[Reason, ...], step: Step) -> Step:
    return step[0], (*reasons, *step[1])


def _open(text: str, reasons: tuple[Reason, ...] = ()) -> Step:
    return Unspecified(text), (*reasons, Reason(text, cite.VIRTUAL_IPS))
