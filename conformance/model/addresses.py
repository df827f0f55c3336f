"""IP families and transport protocols, spelled as the Kubernetes API spells them."""

from __future__ import annotations

import ipaddress
from enum import Enum
from functools import lru_cache

NOBODYS = ("198.51.100.0/24", "2001:db8:100::/64")
"""TEST-NET-2 (RFC 5737), and a part of what RFC 3849 sets aside."""


class Family(Enum):
    """An IP family (``service.spec.ipFamilies``)."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"

    @classmethod
    def of(cls, address: str) -> Family:
        """The family of a textual IP address or CIDR; ``ValueError`` when it is neither."""
        return _family(address)

    @property
    def max_prefix(self) -> int:
        """Bits in an address: 32 or 128."""
        return 32 if self is Family.IPV4 else 128


class Protocol(Enum):
    """A transport protocol (``service.spec.ports[].protocol``)."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"
    ICMP = "ICMP"  # echo requests: no Service has them, but clients send them to its addresses


def contains(cidr: str, address: str) -> bool:
    """Whether ``address`` lies in ``cidr``; never across families."""
    block, ip = network(cidr), parsed(address)
    return block.version == ip.version and ip in block


def is_nobodys(address: str) -> bool:
    """Whether ``address`` is of the documentation ranges that the kit takes addresses from: no machine has it."""
    return any(contains(cidr, address) for cidr in NOBODYS)


@lru_cache(maxsize=65536)
def parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """`ipaddress.ip_address`, once for each of the few that a run asks about again and again."""
    return ipaddress.ip_address(address)


@lru_cache(maxsize=65536)
def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """`ipaddress.ip_network`, once for each likewise; bits beyond the prefix are passed over."""
    return ipaddress.ip_network(text, strict=False)


@lru_cache(maxsize=65536)
def _family(text: str) -> Family:
    return Family.IPV4 if network(text).version == 4 else Family.IPV6
