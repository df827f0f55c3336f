"""The cluster as the oracle sees it: objects, nodes, and how kube-proxy is configured."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, TypeVar

from conformance.model.addresses import Family
from conformance.model.index import Index
from conformance.model.kube import EndpointSlice, HostMapping, Node, Service
from conformance.model.network_policy import Policed

T = TypeVar("T")


class ProxyMode(Enum):
    """kube-proxy's ``mode``."""

    NFTABLES = "nftables"
    IPTABLES = "iptables"
    IPVS = "ipvs"


class DetectLocal(Enum):
    """kube-proxy's ``detectLocalMode``: how it tells a local pod's packet from others."""

    CLUSTER_CIDR = "ClusterCIDR"
    NODE_CIDR = "NodeCIDR"
    BRIDGE_INTERFACE = "BridgeInterface"
    INTERFACE_NAME_PREFIX = "InterfaceNamePrefix"


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """The part of KubeProxyConfiguration that decides where packets go.

    ``node_port_addresses`` empty means the mode's default: ``primary`` in nftables mode, every address in the others.
    """

    mode: ProxyMode = ProxyMode.NFTABLES
    version: tuple[int, int] = (1, 36)
    detect_local: DetectLocal = DetectLocal.CLUSTER_CIDR
    cluster_cidrs: tuple[str, ...] = ()
    node_port_addresses: tuple[str, ...] = ()
    masquerade_all: bool = False
    service_cidrs: tuple[str, ...] = ()
    localhost_node_ports: bool = True  # iptables.localhostNodePorts: IPv4 node ports on loopback, iptables mode only


@dataclass(frozen=True)  # no slots: the index is made once
class ClusterState:
    """One consistent view of everything that routing depends on; keys are ``namespace/name`` and node names.

    ``pod_masquerade`` says whether the pod network gives a pod's packets to addresses outside it the node's address, as
    most do; None when that is not known. ``homes`` are the nodes on which addresses really are, where anybody has seen
    them, empty for outside; ``closed`` says that there are no machines besides those named, so no load balancer either.
    ``host_ports`` are those of the pods that are known, by node; ``modes`` those of nodes whose kube-proxy has told
    its own. ``policed`` holds policies only where something enforces them.
    """

    services: Mapping[str, Service]
    slices: Mapping[str, tuple[EndpointSlice, ...]]
    nodes: Mapping[str, Node]
    proxy: ProxyConfig = field(default_factory=ProxyConfig)
    pod_masquerade: bool | None = None
    homes: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False
    modes: Mapping[str, ProxyMode] = field(default_factory=dict)
    host_ports: Mapping[str, tuple[HostMapping, ...]] = field(default_factory=dict)
    policed: Policed = field(default_factory=Policed)

    @cached_property
    def index(self) -> Index:
        """The same objects by address and number; they must not change any more."""
        return Index(self.services, self.slices, self.nodes)

    def once(self, about: Hashable, conclude: Callable[[], T]) -> T:
        """What ``conclude`` says of ``about``, asked once for this state; ``about`` tells it from all else."""
        if about not in self._concluded:
            self._concluded[about] = conclude()
        known: T = self._concluded[about]
        return known

    @cached_property
    def _concluded(self) -> dict[Hashable, Any]:
        return {}

    def at(self, node: str) -> ClusterState:
        """The same as the node's own kube-proxy sees it: in a roll-out it may run in another mode than others."""
        mode = self.modes.get(node, self.proxy.mode)
        if mode is self.proxy.mode:
            return self
        other = replace(self, proxy=replace(self.proxy, mode=mode))
        other.__dict__["index"] = self.index  # of the same objects
        return other

    def slices_of(self, service: Service, family: Family) -> tuple[EndpointSlice, ...]:
        """The slices of ``service`` that carry ``family``, in the order given."""
        return tuple(s for s in self.slices.get(service.key, ()) if s.family is family)
