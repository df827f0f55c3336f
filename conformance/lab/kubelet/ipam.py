"""Pod addresses of one node: every pod gets the same host number in each of the node's pod CIDRs."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

_MOST = 4096


class PoolExhausted(Exception):
    """Every address of the node's pod CIDRs is in use."""


class AddressPool:
    """Hands out addresses in turn, so that one is used again as late as possible; the first is the bridge's."""

    def __init__(self, cidrs: Sequence[str]) -> None:
        self.networks: tuple[IPv4Network | IPv6Network, ...] = tuple(ip_network(cidr) for cidr in cidrs)
        smallest = min((network.num_addresses for network in self.networks), default=0)
        # Without the network's own address, the bridge's and (IPv4) the broadcast address.
        self._last = min(smallest - 2, _MOST)
        self._used: set[int] = set()
        self._next = 2

    @property
    def gateways(self) -> tuple[str, ...]:
        """The bridge's address in each CIDR."""
        return tuple(str(network[1]) for network in self.networks)

    def allocate(self) -> tuple[str, ...]:
        """One address of each CIDR; ``PoolExhausted``."""
        for step in range(max(self._last - 1, 0)):
            number = 2 + (self._next - 2 + step) % (self._last - 1)
            if number not in self._used:
                self._used.add(number)
                self._next = number + 1
                return tuple(str(network[number]) for network in self.networks)
        raise PoolExhausted(f"no address is free in {', '.join(map(str, self.networks))}")

    def release(self, addresses: Sequence[str]) -> None:
        """Give back what ``allocate`` returned; what it did not is ignored."""
        for address, network in zip(addresses, self.networks, strict=False):
            self._used.discard(int(ip_address(address)) - int(network.network_address))
