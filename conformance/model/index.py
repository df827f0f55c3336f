"""What is asked of a cluster's state again and again, by address and by number: gone through once, not once a question.

A question that went through all Services, slices or nodes would make an audit, or a run, grow with their square.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TypeVar

from conformance.model.addresses import parsed
from conformance.model.kube import Endpoint, EndpointSlice, IPMode, Node, Service

K = TypeVar("K")
V = TypeVar("V")


class Index:
    """Of these objects, each part made when it is first asked for; orders do not depend on those of the mappings."""

    def __init__(
        self,
        services: Mapping[str, Service],
        slices: Mapping[str, tuple[EndpointSlice, ...]],
        nodes: Mapping[str, Node],
    ) -> None:
        self._services, self._slices, self._nodes = services, slices, nodes
        self._pods: dict[tuple[str, int], str] = {}

    def with_address(self, ip: str) -> tuple[Service, ...]:
        """The Services that have ``ip`` in spec or status, in whatever role, by name."""
        return self._by_address.get(ip, ())

    def with_node_port(self, number: int) -> tuple[Service, ...]:
        """The Services one of whose ports has this node port, by name."""
        return self._by_node_port.get(number, ())

    def with_endpoint(self, address: str) -> tuple[Service, ...]:
        """The Services in whose slices ``address`` is, by name."""
        return self._by_endpoint.get(address, ())

    def endpoints(self, address: str) -> tuple[tuple[EndpointSlice, Endpoint], ...]:
        """The endpoints that have ``address``, each with its slice."""
        return self._endpoints.get(address, ())

    def pod_at(self, address: str, port: int) -> str:
        """The name of the pod that answers at ``address`` and ``port``, from any slice that says so; else empty."""
        key = address, port
        if key not in self._pods:
            there = [(one, endpoint.pod) for one, endpoint in self.endpoints(address) if endpoint.pod]
            exact = {pod for one, pod in there if any(p.port == port for p in one.ports)}
            names = exact or {pod for _, pod in there}
            self._pods[key] = names.pop() if len(names) == 1 else ""
        return self._pods[key]

    def owner(self, address: str) -> Node | None:
        """The node that ``address`` belongs to, None when it is no node's own."""
        return self._owners.get(address)

    def pod_network(self, address: str) -> Node | None:
        """The node in whose pod CIDRs ``address`` is, the first by name; None when it is outside the pod network."""
        ip = parsed(address)
        number, bits = int(ip), ip.max_prefixlen
        found = (self._pod_cidrs.get((bits, size, number >> (bits - size))) for size in self._sizes.get(bits, ()))
        return min((node for node in found if node), key=lambda node: node.name, default=None)

    @cached_property
    def health_checks(self) -> frozenset[int]:
        """All healthCheckNodePorts."""
        return frozenset(s.health_check_node_port for s in self._services.values())

    @cached_property
    def past_nodes(self) -> frozenset[str]:
        """The load balancer addresses of ipMode Proxy."""
        every = (i for s in self._services.values() for i in s.ingress)
        return frozenset(i.ip for i in every if i.ip_mode is IPMode.PROXY)

    @cached_property
    def _by_address(self) -> dict[str, tuple[Service, ...]]:
        return _grouped(
            (ip, s)
            for s in self._named
            for ip in dict.fromkeys((*s.cluster_ips, *s.external_ips, *(i.ip for i in s.ingress)))
        )

    @cached_property
    def _by_node_port(self) -> dict[int, tuple[Service, ...]]:
        return _grouped((number, s) for s in self._named for number in dict.fromkeys(p.node_port for p in s.ports))

    @cached_property
    def _by_endpoint(self) -> dict[str, tuple[Service, ...]]:
        addresses = {
            key: dict.fromkeys(a for one in some for e in one.endpoints for a in e.addresses)
            for key, some in self._slices.items()
        }
        return _grouped((address, s) for s in self._named for address in addresses.get(s.key, ()))

    @cached_property
    def _endpoints(self) -> dict[str, tuple[tuple[EndpointSlice, Endpoint], ...]]:
        return _grouped(
            (address, (one, endpoint))
            for some in self._slices.values()
            for one in some
            for endpoint in one.endpoints
            for address in dict.fromkeys(endpoint.addresses)
        )

    @cached_property
    def _owners(self) -> dict[str, Node]:
        return {a: n for n in sorted(self._nodes.values(), key=_name, reverse=True) for a in (*n.addresses, *n.local)}

    @cached_property
    def _pod_cidrs(self) -> dict[tuple[int, int, int], Node]:
        """By bits of an address, bits of the network's part, and the network's number."""
        found: dict[tuple[int, int, int], Node] = {}
        for node in sorted(self._nodes.values(), key=_name):
            for network in (ipaddress.ip_network(cidr, strict=False) for cidr in node.pod_cidrs):
                bits, size = network.max_prefixlen, network.prefixlen
                found.setdefault((bits, size, int(network.network_address) >> (bits - size)), node)
        return found

    @cached_property
    def _sizes(self) -> dict[int, tuple[int, ...]]:
        return _grouped(dict.fromkeys((bits, size) for bits, size, _ in self._pod_cidrs))

    @cached_property
    def _named(self) -> list[Service]:
        return [self._services[key] for key in sorted(self._services)]


def _name(node: Node) -> str:
    return node.name


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}
