"""hostPorts: what is sent to a port of a node leads to one of its pods, unless a Service has that port as well."""

from __future__ import annotations

from dataclasses import replace

from conformance.model.cluster import ClusterState
from conformance.model.kube import HostMapping, Node
from conformance.model.outcome import Outcome, Reaches, Target, Unspecified
from conformance.model.source import Reason
from conformance.oracle.delivery import deliver
from conformance.oracle.packet import Packet
from conformance.oracle.ruling import Ruling, Verb
from conformance.spec import sources as cite


def mapped(state: ClusterState, node: Node, packet: Packet) -> HostMapping | None:
    """The hostPort of a pod of ``node`` that is meant by what ``packet`` dials there; None if it is none's."""
    return next(
        (
            one
            for one in state.host_ports.get(node.name, ())
            if one.port.takes(packet.ip, packet.port, packet.protocol) and one.address(packet.family)
        ),
        None,
    )


def with_host_port(
    state: ClusterState, node: Node, packet: Packet, ruling: Ruling, found: HostMapping
) -> tuple[Outcome, tuple[Reason, ...]]:
    """What becomes of a packet to a hostPort of ``node``, about which kube-proxy's rules say ``ruling``."""
    address = found.address(packet.family) or ""
    if packet.source == address:
        return _open(ruling, "whether a pod reaches itself at its node's address is for the plugin to say")
    # Who does it may hide the client or not: nothing is promised of the source address.
    target = Target(address, found.target, frozenset(), found.pod)
    text = f"port {packet.port}/{packet.protocol.value} of {node.name} is a hostPort of {found.pod}"
    why = Reason(text, cite.HOST_PORT)
    if ruling.verb is Verb.UNTOUCHED:
        return Reaches(frozenset({target})), (*ruling.reasons, why)
    outcome, reasons = deliver(state, node, packet, ruling) if ruling.verb is Verb.FORWARD else (None, ruling.reasons)
    rivals = "a Service has the same number as node port; which of the two gets it is not promised"
    if not isinstance(outcome, Reaches):
        return _open(replace(ruling, reasons=(*reasons, why)), rivals)
    either = replace(outcome, targets=outcome.targets | {target}, sticky=False, movable=True)
    return either, (*reasons, why, Reason(rivals, cite.HOST_PORT))


def _open(ruling: Ruling, text: str) -> tuple[Outcome, tuple[Reason, ...]]:
    return Unspecified(text), (*ruling.reasons, Reason(text, cite.HOST_PORT))
