"""Addresses that the kit gives its own Services of type LoadBalancer, where no controller does. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_network
from typing import Any

from conformance.errors import UsageError
from conformance.model.addresses import Family
from conformance.model.case.service_spec import ServiceSpec
from conformance.model.kube import ServiceType

JSON = dict[str, Any]
POOLS = ("192.0.2.0/24", "2001:db8:192::/64")
"""Nobody's: TEST-NET-1 (RFC 5737), and a part of the documentation prefix (RFC 3849)."""
FEWEST = 64


class Mode(Enum):
    """Who gives Services of type LoadBalancer their addresses."""

    AUTO = "auto"  # a controller, and the kit where none does in time
    STATUS_PATCH = "status-patch"  # the kit: the Services are of a class that no controller serves
    NONE = "none"  # nobody: likewise, and nothing is written


@dataclass(frozen=True, slots=True)
class Balancing:
    """Addresses by the number of a Service; ``share`` is (index, of), as in `Surroundings`."""

    mode: Mode = Mode.AUTO
    pools: tuple[str, ...] = POOLS
    share: tuple[int, int] = (0, 1)

    def by_hand(self, spec: ServiceSpec) -> bool:
        """Whether no controller shall see the Service."""
        return self.mode is not Mode.AUTO and wants(spec)

    def status(self, number: int, families: tuple[Family, ...]) -> JSON:
        """The status of the ``number``-th Service that wants an address."""
        index, of = self.share
        entries = []
        for pool in map(ip_network, self.pools):
            if Family.of(str(pool.network_address)) in families:
                nth = (number * of + index) % (min(pool.num_addresses, 1 << 16) - 2) + 1
                entries.append({"ip": str(pool[nth])})
        return {"status": {"loadBalancer": {"ingress": entries}}}


def wants(spec: ServiceSpec) -> bool:
    """Whether a controller is to give ``spec`` an address."""
    return spec.type is ServiceType.LOAD_BALANCER and spec.ingress is None


def pools(given: tuple[str, ...]) -> tuple[str, ...]:
    """The ranges of ``--lb-range``, those of documentation for a family that has none; `UsageError`."""
    found: dict[Family, str] = {Family.of(pool): pool for pool in POOLS}
    for text in given:
        try:
            network = ip_network(text)
        except ValueError as error:
            raise UsageError(f"--lb-range {text!r} is no range: {error}.", "Say for example 192.0.2.0/24.") from None
        if network.num_addresses < FEWEST:
            raise UsageError(f"--lb-range {text} has too few addresses.", f"A run takes {FEWEST} or more.")
        found[Family.of(text)] = text
    return tuple(found.values())
