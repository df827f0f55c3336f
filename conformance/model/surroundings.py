"""What the roles of a case stand for: on a cluster once its pods are there, or in an imagined one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.model.addresses import Family
from conformance.model.case.backend import Backend, Breed
from conformance.model.client import Client
from conformance.model.kube import Node, Service

CLOSED_PORT = 1
"""Where no backend listens."""
FLEET_PORT = 9000
ALT_SHIFT = 7

# The band that the API server does not draw from by itself (KEP-3668), so that a number named there is seldom taken.
STATIC_NODE_PORTS, STATIC_BAND = 30000, 86


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Nodes by role, pods' addresses by name, clients by the label of their `ClientRef`, Services by name.

    ``first`` are the Services as they were when each was created, ``last`` as they were seen last, also those that are
    gone. ``numbers`` count the Services that want addresses from the documentation ranges, by name. ``share`` is
    (index, of): this process takes each ``of``-th number, so that processes side by side take different ones; ``draw``
    is where all of them begin to count, for runs side by side to begin elsewhere. ``pools`` are the ranges of which the
    kit itself gives load balancers addresses, to which only the external clients that are ``routed`` find a way.
    """

    nodes: Mapping[str, Node]
    pods: Mapping[str, tuple[str, ...]]
    clients: Mapping[str, Client]
    families: tuple[Family, ...]
    backend_port: int
    first: Mapping[str, Service] = field(default_factory=dict)
    last: Mapping[str, Service] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    share: tuple[int, int] = (0, 1)
    draw: int = 0
    dns: tuple[str, ...] = ()
    domain: str = "cluster.local"
    pools: tuple[str, ...] = ()
    routed: tuple[str, ...] = ()

    def addresses(self, backend: Backend) -> tuple[str, ...]:
        """The addresses at which ``backend`` answers: its pod's, or its node's primary ones."""
        if backend.host_network:
            node = self.nodes[backend.role]
            return tuple(a for a in map(node.primary, Family) if a)
        return self.pods[backend.pod]

    def port(self, backend: Backend) -> int:
        """The port number at which ``backend`` answers."""
        if backend.number:
            return FLEET_PORT + backend.number
        return self.backend_port + (ALT_SHIFT if backend.breed == Breed.ALT.value else 0)

    def node_port(self, number: int) -> int:
        """The ``number``-th node port that this process may name itself."""
        return static_port(number, self.share, self.draw)

    def documentation(self, name: str, nth: int = 0) -> tuple[str, ...]:
        """Addresses of Service ``name`` that are nobody's: TEST-NET-2 (RFC 5737) and 2001:db8:100::/64 (RFC 3849)."""
        index, of = self.share
        number = ((self.numbers[name] + nth) * of + index) % 250 + 1
        return f"198.51.100.{number}", f"2001:db8:100::{number:x}"


def static_port(number: int, share: tuple[int, int], draw: int) -> int:
    """The ``number``-th node port that a process with this ``share`` of a run with this ``draw`` may name itself."""
    index, of = share
    return STATIC_NODE_PORTS + (draw + number * of + index) % STATIC_BAND
