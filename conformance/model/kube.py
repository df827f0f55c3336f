"""The API objects that decide Service routing, reduced to the fields that do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import ip_address

from conformance.model.addresses import Family, Protocol, contains


class ServiceType(Enum):
    """``service.spec.type``."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"
    EXTERNAL_NAME = "ExternalName"


class Policy(Enum):
    """``internalTrafficPolicy`` and ``externalTrafficPolicy``."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


class IPMode(Enum):
    """``service.status.loadBalancer.ingress[].ipMode`` (KEP-1860)."""

    VIP = "VIP"
    PROXY = "Proxy"


@dataclass(frozen=True, slots=True)
class ServicePort:
    """``service.spec.ports[]``; ``node_port`` 0 means none is allocated."""

    name: str
    protocol: Protocol
    port: int
    target_port: int | str
    node_port: int = 0


@dataclass(frozen=True, slots=True)
class Ingress:
    """One address of a load balancer (``service.status.loadBalancer.ingress[]``)."""

    ip: str
    ip_mode: IPMode = IPMode.VIP


@dataclass(frozen=True, slots=True)
class Service:
    """A Service as the API server stored it: spec, and the load balancer's status."""

    namespace: str
    name: str
    type: ServiceType
    ports: tuple[ServicePort, ...]
    cluster_ips: tuple[str, ...] = ()
    ip_families: tuple[Family, ...] = ()
    external_ips: tuple[str, ...] = ()
    ingress: tuple[Ingress, ...] = ()
    internal_policy: Policy = Policy.CLUSTER
    external_policy: Policy = Policy.CLUSTER
    affinity_seconds: int | None = None  # None: sessionAffinity None; else ClientIP's timeout
    source_ranges: tuple[str, ...] = ()
    health_check_node_port: int = 0
    publish_not_ready: bool = False
    traffic_distribution: str = ""
    external_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def headless(self) -> bool:
        """Whether ``clusterIP`` is ``None``: kube-proxy leaves such a Service alone."""
        return "None" in self.cluster_ips


@dataclass(frozen=True, slots=True)
class EndpointPort:
    """``endpointslice.ports[]``; ``port`` None means every port (KEP-752)."""

    name: str
    protocol: Protocol
    port: int | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``endpointslice.endpoints[]``, with the API's defaults for unset conditions applied."""

    addresses: tuple[str, ...]
    node: str = ""
    zone: str = ""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    pod: str = ""  # targetRef.name when the target is a Pod
    hint_zones: tuple[str, ...] = ()
    hint_nodes: tuple[str, ...] = ()
    hostname: str = ""  # its name below a headless Service's


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    """A slice of a Service's endpoints; ``service`` is the ``kubernetes.io/service-name`` label."""

    namespace: str
    name: str
    service: str
    family: Family
    ports: tuple[EndpointPort, ...]
    endpoints: tuple[Endpoint, ...]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A node and every address it answers to.

    ``addresses`` are its InternalIPs in the API's order: the first of a family is the primary one. ``local`` are all
    others its interfaces carry (secondary interfaces, pod bridge, tunnels), known from the lab or a host-network agent.
    """

    name: str
    addresses: tuple[str, ...]
    local: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    zone: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def primary(self, family: Family) -> str | None:
        """The first InternalIP of ``family``, or None."""
        return next((a for a in self.addresses if Family.of(a) is family), None)

    def secondary(self, family: Family) -> str | None:
        """An address of ``family`` that is neither the primary one nor the pod bridge's, or None."""
        return next((a for a in (*self.addresses, *self.local) if self._is_secondary(a, family)), None)

    def owns(self, address: str) -> bool:
        """Whether ``address`` is one of this node's own."""
        return address in self.addresses or address in self.local

    def _is_secondary(self, address: str, family: Family) -> bool:
        if Family.of(address) is not family or address == self.primary(family):
            return False
        ip = ip_address(address)
        return not (ip.is_link_local or ip.is_loopback or any(contains(cidr, address) for cidr in self.pod_cidrs))


@dataclass(frozen=True, slots=True)
class HostPort:
    """``pod.spec.containers[].ports[]``; ``ip`` (hostIP) empty means every address of the node."""

    number: int
    protocol: Protocol
    ip: str = ""

    def takes(self, ip: str, number: int, protocol: Protocol) -> bool:
        """Whether what is sent to this address and port of the node is meant."""
        return (self.number, self.protocol) == (number, protocol) and self.ip in ("", ip)


@dataclass(frozen=True, slots=True)
class HostMapping:
    """A hostPort and the pod that it leads to: the one of its addresses that is of the same family."""

    port: HostPort
    pod: str
    addresses: tuple[str, ...]
    target: int

    def address(self, family: Family) -> str | None:
        """The pod's address of ``family``, or None."""
        return next((a for a in self.addresses if Family.of(a) is family), None)
