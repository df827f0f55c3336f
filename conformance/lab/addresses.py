"""The lab's address plan: who has which address, and which ranges belong to what."""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network

MAX_NODES = 16


@dataclass(frozen=True, slots=True)
class NodePlan:
    """The addresses of one node; ``index`` counts from 1."""

    index: int
    name: str
    zone: str

    @property
    def ipv4(self) -> str:
        """The primary IPv4 address (eth0, on the fabric)."""
        return f"172.30.99.{10 + self.index}"

    @property
    def ipv6(self) -> str:
        """The primary IPv6 address (eth0); its last group has the digits of the IPv4 one."""
        return f"fd99::{10 + self.index}"

    @property
    def secondary_ipv4(self) -> str:
        """The address on eth1, which is not a node address to Kubernetes."""
        return f"172.31.98.{self.index}"

    @property
    def secondary_ipv6(self) -> str:
        """The IPv6 address on eth1."""
        return f"fd98::{self.index}"

    @property
    def pod_cidr_ipv4(self) -> str:
        """The first of ``node.spec.podCIDRs``."""
        return f"10.244.{self.index}.0/24"

    @property
    def pod_cidr_ipv6(self) -> str:
        """The second of ``node.spec.podCIDRs``."""
        return f"fd44:{self.index}::/64"

    @property
    def addresses(self) -> tuple[str, str]:
        """``node.status.addresses`` of type InternalIP."""
        return self.ipv4, self.ipv6

    @property
    def secondary_addresses(self) -> tuple[str, str]:
        """Its addresses on eth1."""
        return self.secondary_ipv4, self.secondary_ipv6

    @property
    def pod_cidrs(self) -> tuple[str, str]:
        """``node.spec.podCIDRs``."""
        return self.pod_cidr_ipv4, self.pod_cidr_ipv6


@dataclass(frozen=True, slots=True)
class ExternalPlan:
    """A client outside the cluster; its packets to Service addresses enter through node ``via``."""

    name: str
    ipv4: str
    ipv6: str
    via: NodePlan

    @property
    def addresses(self) -> tuple[str, str]:
        """Its addresses on the fabric."""
        return self.ipv4, self.ipv6


@dataclass(frozen=True)
class AddressPlan:
    """Every address of a lab with ``node_count`` nodes (1..16; ``ValueError`` otherwise)."""

    node_count: int = 3

    fabric_gateways: tuple[str, str] = ("172.30.99.1/24", "fd99::1/64")
    fabric2_gateways: tuple[str, str] = ("172.31.98.254/24", "fd98::fe/64")
    anywhere: tuple[str, str] = ("0.0.0.0/0", "::/0")
    service_cidrs: tuple[str, str] = ("10.96.0.0/16", "fd00:96::/112")
    cluster_cidrs: tuple[str, str] = ("10.244.0.0/16", "fd44::/16")
    load_balancer_cidrs: tuple[str, str] = ("203.0.113.0/24", "2001:db8:203::/64")
    dns_service_ips: tuple[str, str] = ("10.96.0.10", "fd00:96::a")
    cluster_domain: str = "cluster.local"
    api_port: int = 6443
    kubelet_port: int = 10250

    def __post_init__(self) -> None:
        if not 1 <= self.node_count <= MAX_NODES:
            raise ValueError(f"a lab has 1 to {MAX_NODES} nodes, not {self.node_count}")

    @cached_property
    def nodes(self) -> tuple[NodePlan, ...]:
        """The nodes in order: node-a in zone-a, node-b in zone-b, ..."""
        letters = string.ascii_lowercase[: self.node_count]
        return tuple(NodePlan(i, f"node-{letter}", f"zone-{letter}") for i, letter in enumerate(letters, 1))

    def node(self, name: str) -> NodePlan:
        """The node of that name; ``KeyError`` when the lab has none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @cached_property
    def externals(self) -> tuple[ExternalPlan, ...]:
        """The external clients: x1 enters through the first node, x2 through the last."""
        return (
            ExternalPlan("x1", "172.30.99.101", "fd99::101", self.nodes[0]),
            ExternalPlan("x2", "172.30.99.102", "fd99::102", self.nodes[-1]),
        )

    @property
    def api_address(self) -> tuple[str, int]:
        """Where the API server is reached from inside the lab: the endpoint of the ``kubernetes`` Service."""
        return self.fabric_gateway_addresses[0], self.api_port

    @property
    def fabric_gateway_addresses(self) -> tuple[str, str]:
        """The addresses of the network between the nodes, without prefix lengths."""
        return _address(self.fabric_gateways[0]), _address(self.fabric_gateways[1])

    def on_fabric(self, addresses: tuple[str, str]) -> tuple[str, str]:
        """Addresses with the prefix lengths of the first fabric."""
        return _with_prefix(addresses, self.fabric_gateways)

    def on_fabric2(self, addresses: tuple[str, str]) -> tuple[str, str]:
        """Addresses with the prefix lengths of the second fabric."""
        return _with_prefix(addresses, self.fabric2_gateways)

    @cached_property
    def service_networks(self) -> tuple[IPv4Network, IPv6Network]:
        """``service_cidrs`` as networks, for allocators."""
        return IPv4Network(self.service_cidrs[0]), IPv6Network(self.service_cidrs[1])


def _address(interface: str) -> str:
    return interface.partition("/")[0]


def _with_prefix(addresses: tuple[str, str], like: tuple[str, str]) -> tuple[str, str]:
    lengths = [network.partition("/")[2] for network in like]
    return f"{addresses[0]}/{lengths[0]}", f"{addresses[1]}/{lengths[1]}"
