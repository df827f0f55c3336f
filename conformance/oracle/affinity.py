"""sessionAffinity ClientIP: when all dials of a client end at one endpoint, and when that is not promised."""

from __future__ import annotations

from dataclasses import dataclass, replace

from conformance.model.cluster import ClusterState
from conformance.model.kube import Node, Service
from conformance.model.source import Reason
from conformance.oracle.capture import Capture, Role
from conformance.oracle.endpoints import Usable
from conformance.oracle.packet import Packet
from conformance.oracle.policy import decide
from conformance.spec import sources as cite


@dataclass(frozen=True, slots=True)
class Affinity:
    """Whether dials stick, whether dials elsewhere may move them, and why."""

    sticky: bool
    movable: bool
    reasons: tuple[Reason, ...]


def affinity(state: ClusterState, node: Node, packet: Packet, claim: Capture, choice: Usable) -> Affinity:
    """What the Service's affinity means for ``packet``, which ``node`` translates.

    A node remembers endpoint and client address per Service port, whichever address was dialled. Where the client's
    internal and external dials choose among different endpoints, those of one kind can move what the other remembers.
    """
    seconds = claim.service.affinity_seconds
    if seconds is None:
        return Affinity(sticky=False, movable=False, reasons=())
    mine = set(decide(state, node, packet, claim, choice).backends)
    if len(mine) > 1 and _external(claim.service) and packet.home in {"", node.name}:
        role = Role.CLUSTER_IP if claim.role is not Role.CLUSTER_IP else Role.EXTERNAL_IP
        other = set(decide(state, node, packet, replace(claim, role=role), choice).backends)
        if other & mine and other != mine:
            text = (
                f"{node.name} remembers {packet.source}'s endpoint for all addresses of the Service at once; dials of "
                "its other addresses follow another policy and may move it meanwhile"
            )
            return Affinity(sticky=False, movable=True, reasons=(Reason(text, cite.SESSION_AFFINITY),))
    text = f"all dials of one client address go to one endpoint for {seconds} s"
    return Affinity(sticky=True, movable=False, reasons=(Reason(text, cite.SESSION_AFFINITY),))


def _external(service: Service) -> bool:
    return bool(service.external_ips or service.ingress or any(p.node_port for p in service.ports))
