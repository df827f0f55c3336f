"""Where an address really is, which need not be what a hand-made EndpointSlice says of it."""

from __future__ import annotations

from conformance.model.addresses import parsed
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node


def owner_of(state: ClusterState, address: str) -> Node | None:
    """The node that ``address`` belongs to, None when it is no node's own."""
    return state.index.owner(address)


def is_node_address(state: ClusterState, address: str) -> bool:
    """Whether ``address`` is some node's own, loopback addresses included."""
    return parsed(address).is_loopback or owner_of(state, address) is not None


def home_of(state: ClusterState, address: str, claimed: str = "") -> str:
    """The name of the node at which packets to ``address`` arrive; empty when that is outside, or unknown.

    What was seen counts first, then the node that a slice claims. The pod CIDRs come last: some pod networks do not
    keep to them.
    """
    owner = owner_of(state, address)
    if owner is not None:
        return owner.name
    seen = state.homes.get(address, claimed)
    if seen in state.nodes:
        return seen
    inside = state.index.pod_network(address)
    return inside.name if inside else ""


def in_pod_network(state: ClusterState, address: str) -> bool:
    """Whether ``address`` is inside the pod network, where nobody masquerades packets of pods."""
    return state.index.pod_network(address) is not None
