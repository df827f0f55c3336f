"""Pools of addresses and node ports that give away what is taken, or take back nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.lab.api.allocation import Addresses, Allocation, NodePorts, Refused
from conformance.lab.api.config import Network
from conformance.lab.api.validation import ips


@dataclass(slots=True)
class Conduct:
    """How the pools treat the Service that is being written."""

    gives_twice: bool = False
    keeps: bool = False


class LooseAddresses(Addresses):
    """The Service CIDRs."""

    def __init__(self, networks: tuple[Network, ...], conduct: Conduct) -> None:
        super().__init__(networks)
        self._conduct = conduct

    def take(self, family: str, text: str, allocation: Allocation) -> None:
        """This address, whoever has it."""
        try:
            super().take(family, text, allocation)
        except Refused:
            if not self._conduct.gives_twice:
                raise

    def give(self, text: str, allocation: Allocation) -> None:
        """Release an address, or keep it."""
        if not self._conduct.keeps:
            super().give(text, allocation)

    def repair(self, held: Iterable[str]) -> None:
        """Exactly these addresses are taken."""
        for pool in self._pools.values():
            pool.taken.clear()
        for text in held:
            address = ips.parse(text)
            if address is not None and ips.family(text) in self._pools:
                self._pools[ips.family(text)].taken.add(int(address))


class LoosePorts(NodePorts):
    """The node port range."""

    def __init__(self, first: int, last: int, conduct: Conduct) -> None:
        super().__init__(first, last)
        self._conduct = conduct

    def take(self, port: int, allocation: Allocation) -> None:
        """This port, whoever has it."""
        try:
            super().take(port, allocation)
        except Refused:
            if not self._conduct.gives_twice:
                raise

    def give(self, port: int, allocation: Allocation) -> None:
        """Release a port, or keep it."""
        if not self._conduct.keeps:
            super().give(port, allocation)

    def repair(self, held: Iterable[int]) -> None:
        """Exactly these ports are taken."""
        self._pool.taken.clear()
        self._pool.taken.update(held)
