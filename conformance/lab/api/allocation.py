"""Pools that Services take addresses and ports from, and allocations that take effect only when a write succeeds."""

from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import ip_address

from conformance.lab.api.config import Network
from conformance.lab.api.validation import ips

TAKEN_IP = "provided IP is already allocated"
TAKEN_PORT = "provided port is already allocated"


class Full(Exception):
    """Nothing is left."""

    def __init__(self) -> None:
        super().__init__("range is full")


class Refused(Exception):
    """The asked value cannot be had, and why."""


class Pool:
    """Whole numbers from ``first`` to ``last``; what nobody asked for by value comes from above the static band."""

    def __init__(self, first: int, last: int, static: int) -> None:
        self.first = first
        self.last = last
        self._dynamic = min(first + static, last)
        self.taken: set[int] = set()

    def free(self, pending: set[int]) -> int:
        """A random free number; the static band is used only when nothing else is left."""
        for low, high in ((self._dynamic, self.last), (self.first, self._dynamic - 1)):
            size = high - low + 1
            if size <= 0:
                continue
            start = random.randrange(size)
            for step in range(min(size, len(self.taken) + len(pending) + 1)):
                number = low + (start + step) % size
                if number not in self.taken and number not in pending:
                    return number
        raise Full


def address_pool(network: Network) -> Pool:
    """The usable addresses of a Service CIDR, its static band as of KEP-3070."""
    first = int(network.network_address) + 1
    last = int(network.broadcast_address) - (1 if network.version == 4 else 0)
    return Pool(first, last, min(max(16, network.num_addresses // 16), 256))


def port_pool(first: int, last: int) -> Pool:
    """The node ports, their static band as of KEP-3668."""
    size = last - first + 1
    return Pool(first, last, 0 if size <= 16 else min(max(16, size // 32), 128))


class Allocation:
    """What one write takes and gives back; nothing happens before ``commit``, which a dry run never comes to."""

    def __init__(self, *, dry_run: bool = False) -> None:
        self.dry_run = dry_run
        self._takes: list[tuple[Pool, int]] = []
        self._gives: list[tuple[Pool, int]] = []
        self._then: list[Callable[[], None]] = []

    def _pending(self, pool: Pool) -> set[int]:
        return {number for each, number in self._takes if each is pool}

    def next(self, pool: Pool) -> int:
        """Take any free number; Full where there is none."""
        number = pool.free(self._pending(pool))
        self._takes.append((pool, number))
        return number

    def take(self, pool: Pool, number: int, taken: str) -> None:
        """Take this number; Refused with ``taken`` where somebody has it."""
        if number in pool.taken or number in self._pending(pool):
            raise Refused(taken)
        self._takes.append((pool, number))

    def give(self, pool: Pool, number: int) -> None:
        """Give a number back."""
        self._gives.append((pool, number))

    def then(self, action: Callable[[], None]) -> None:
        """Do this at the commit."""
        self._then.append(action)

    def commit(self) -> None:
        """Let it take effect."""
        for pool, number in self._gives:
            pool.taken.discard(number)
        for pool, number in self._takes:
            pool.taken.add(number)
        for action in self._then:
            action()


class Addresses:
    """The Service CIDRs, one per family; the first is the default family."""

    def __init__(self, networks: tuple[Network, ...]) -> None:
        self._networks = {f"IPv{each.version}": each for each in networks}
        self._pools = {family: address_pool(each) for family, each in self._networks.items()}
        self.default = next(iter(self._networks))

    @property
    def families(self) -> tuple[str, ...]:
        """The families that Services can have."""
        return tuple(self._networks)

    def next(self, family: str, allocation: Allocation) -> str:
        """Any free address of a family."""
        number = allocation.next(self._pools[family])
        return str(ip_address(number.to_bytes(4 if family == "IPv4" else 16, "big")))

    def take(self, family: str, text: str, allocation: Allocation) -> None:
        """This address; Refused where it is outside the range or taken."""
        address = ips.parse(text)
        network, pool = self._networks[family], self._pools[family]
        if address is None or address not in network:
            raise Refused("the provided network does not match the current range")
        if not pool.first <= int(address) <= pool.last:
            raise Refused(f"the provided IP ({text}) is not in the valid range. The range of valid IPs is {network}")
        allocation.take(pool, int(address), TAKEN_IP)

    def give(self, text: str, allocation: Allocation) -> None:
        """Release an address."""
        address = ips.parse(text)
        if address is not None and ips.family(text) in self._pools:
            allocation.give(self._pools[ips.family(text)], int(address))


class NodePorts:
    """The node port range."""

    def __init__(self, first: int, last: int) -> None:
        self._pool = port_pool(first, last)

    def next(self, allocation: Allocation) -> int:
        """Any free port."""
        return allocation.next(self._pool)

    def take(self, port: int, allocation: Allocation) -> None:
        """This port; Refused where it is outside the range or taken, whatever the protocol.

        A dry run does not look at the range: nor does kube-apiserver's (portallocator/operation.go).
        """
        first, last = self._pool.first, self._pool.last
        if not allocation.dry_run and not first <= port <= last:
            why = f"provided port is not in the valid range. The range of valid ports is {first}-{last}"
            raise Refused(why)
        allocation.take(self._pool, port, TAKEN_PORT)

    def give(self, port: int, allocation: Allocation) -> None:
        """Release a port."""
        allocation.give(self._pool, port)
