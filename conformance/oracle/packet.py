"""A packet as one node sees it, and the addresses that it may carry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import chain

from conformance.model.addresses import Family, Protocol
from conformance.model.kube import Node


class Origin(Enum):
    """Where a packet came from, as the node's netfilter hooks see it."""

    POD = "a pod of the node"
    PROCESS = "the node itself"  # output hook
    WIRE = "another machine"


@dataclass(frozen=True, slots=True)
class Packet:
    """A first packet on its way into one node's rules.

    ``source`` is the address that rules compare; ``sources`` are all that it may really be, for the kernel's choice
    among a node's addresses is not promised (empty: unknown). ``home`` is the node where answers to ``source`` go,
    empty when that is outside the cluster.
    """

    source: str
    sources: frozenset[str]
    home: str
    origin: Origin
    ip: str
    port: int
    protocol: Protocol

    @property
    def family(self) -> Family:
        """The family of the address dialled."""
        return Family.of(self.ip)


def own_addresses(node: Node, family: Family) -> frozenset[str]:
    """Every address of ``family`` that ``node`` may use as a source; empty, so unknown, when only the API was asked.

    An API server knows InternalIPs; bridges, tunnels and secondary interfaces are seen on the node alone, and a
    masqueraded packet carries whichever of them faces the endpoint.
    """
    if not node.local:
        return frozenset()
    return _of_family(family, node.addresses, node.local)


@lru_cache(maxsize=4096)
def _of_family(family: Family, *some: tuple[str, ...]) -> frozenset[str]:
    return frozenset(a for a in chain(*some) if Family.of(a) is family)


def either(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The union of two sets of source addresses; unknown if either is."""
    return one | other if one and other else frozenset()
