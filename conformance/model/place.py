"""What a process running somewhere knows of that place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """An address of an interface; ``scope`` is rtnetlink's: 0 global, 253 link, 254 host."""

    device: str
    ip: str
    prefix: int
    scope: int


@dataclass(frozen=True, slots=True)
class Place:
    """A network namespace and its machine, as the agent in it introduced itself.

    ``boot`` identifies the running kernel: two places with one boot share a machine. ``search`` are the domains that
    its resolver tries: in a pod the cluster's.
    """

    host: str
    kernel: str
    python: str
    boot: str
    addresses: tuple[LocalAddress, ...] = ()
    search: tuple[str, ...] = ()

    @property
    def global_addresses(self) -> tuple[str, ...]:
        """Its addresses that others may reach, in the kernel's order."""
        return tuple(a.ip for a in self.addresses if a.scope == 0)
