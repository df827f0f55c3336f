"""The cluster as the plan sees it: which node plays which role, and from where one can dial."""

from __future__ import annotations

import string
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode
from conformance.model.kube import Node

ROLES = "abc"
"""Three nodes show every difference that routing knows: has the endpoint, has another, has none."""


@dataclass(frozen=True, slots=True)
class ExternalSite:
    """A place outside the cluster; ``via`` names the node that its packets to Service addresses enter through."""

    name: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class Landscape:
    """Node names in role order (a, b, c), the families that Services may have, and the external sites.

    ``mode`` is kube-proxy's and ``version`` that of Kubernetes, None where they are not known; ``zones`` are those of
    the nodes, in their order. ``readable``: kube-proxy's tables on them may be read; ``enterable``: they themselves
    may be entered; ``disruptive``: the cluster itself may be disturbed. ``host_ports``: nobody says that the pod
    network offers none; ``agent``: the DaemonSet of its agents is known.
    """

    nodes: tuple[str, ...]
    families: tuple[Family, ...]
    externals: tuple[ExternalSite, ...] = ()
    mode: ProxyMode | None = ProxyMode.NFTABLES
    zones: tuple[str, ...] = ()
    version: tuple[int, int] | None = None
    readable: bool = False
    enterable: bool = False
    disruptive: bool = False
    host_ports: bool = True
    agent: bool = True

    def node(self, role: str) -> str | None:
        """The node that plays ``role``, or None when the cluster is too small."""
        index = string.ascii_lowercase.index(role)
        return self.nodes[index] if index < len(self.nodes) else None

    def role(self, node: str) -> str | None:
        """The role that ``node`` plays, if any."""
        return string.ascii_lowercase[self.nodes.index(node)] if node in self.nodes else None

    def site(self, role: str) -> ExternalSite | None:
        """The external site that enters through the role's node; any site for the empty role."""
        if not role:
            return self.externals[0] if self.externals else None
        return next((s for s in self.externals if s.via and s.via == self.node(role)), None)


def spread(nodes: Iterable[Node], first: tuple[str, ...] = ()) -> list[str]:
    """The names of ``nodes``, one of each zone in turn, in an order that is always the same; ``first`` come first."""
    seen: dict[str, int] = {}
    ranked = []
    for node in sorted(nodes, key=lambda n: n.name):
        ranked.append((node.name not in first, seen.get(node.zone, 0), node.name))
        seen[node.zone] = seen.get(node.zone, 0) + 1
    return [name for _, _, name in sorted(ranked)]


def cast(nodes: tuple[Node, ...], entrances: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Which nodes play a, b and c: spread over zones, deterministic, entrances of external clients first and last.

    An external client that enters through node a and one through node c meet a node with an endpoint and one without,
    which is the difference that external traffic policy makes.
    """
    names = spread(nodes)
    present = [e for e in dict.fromkeys(entrances) if e in names]
    first, last = present[:1], present[1:2]
    middle = [n for n in names if n not in first and n not in last]
    return tuple((first + middle[: len(ROLES) - len(first) - len(last)] + last)[: len(ROLES)])
