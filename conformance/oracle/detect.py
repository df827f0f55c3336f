"""The local-traffic detector: how a node tells a pod's packet from everybody else's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from conformance.model.addresses import Family, contains
from conformance.model.cluster import ClusterState, DetectLocal
from conformance.model.kube import Node
from conformance.oracle.packet import Origin, Packet


def detects(state: ClusterState, node: Node, family: Family) -> bool:
    """Whether the detector works for ``family`` on ``node``; without a CIDR to compare with it does not."""
    match state.proxy.detect_local:
        case DetectLocal.CLUSTER_CIDR:
            return _first(state.proxy.cluster_cidrs, family) is not None
        case DetectLocal.NODE_CIDR:
            return _first(node.pod_cidrs, family) is not None
        case DetectLocal.BRIDGE_INTERFACE | DetectLocal.INTERFACE_NAME_PREFIX:
            return True
        case other:
            assert_never(other)


def is_pod_traffic(state: ClusterState, node: Node, packet: Packet) -> bool:
    """Whether ``node`` takes ``packet`` for a local pod's.

    By CIDR it is a matter of the source address alone, so that with ClusterCIDR a pod of another node counts too. By
    interface it is a matter of where the packet came in; the name is taken to be that of the pods' interfaces.
    """
    match state.proxy.detect_local:
        case DetectLocal.CLUSTER_CIDR:
            cidr = _first(state.proxy.cluster_cidrs, packet.family)
        case DetectLocal.NODE_CIDR:
            cidr = _first(node.pod_cidrs, packet.family)
        case DetectLocal.BRIDGE_INTERFACE | DetectLocal.INTERFACE_NAME_PREFIX:
            return packet.origin is Origin.POD
        case other:
            assert_never(other)
    return cidr is not None and contains(cidr, packet.source)


def _first(cidrs: Iterable[str], family: Family) -> str | None:
    # kube-proxy keeps the first CIDR of a family and ignores the others (getLocalDetectors).
    return next((c for c in cidrs if Family.of(c) is family), None)
