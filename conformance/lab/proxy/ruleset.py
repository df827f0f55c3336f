"""A whole ``kube-proxy`` table, described: what the kernel is to hold, not how it gets there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from conformance.model.addresses import Family


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a base chain is attached: ``type`` ``filter`` or ``nat``, ``priority`` in nft's spelling."""

    type: str
    hook: str
    priority: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: nft's expression, and the comment behind it."""

    text: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain with its rules in order; ``hook`` only for base chains."""

    name: str
    rules: tuple[Rule, ...] = ()
    hook: Hook | None = None
    comment: str = ""


class Kind(Enum):
    """nft's two named containers."""

    SET = "set"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a set (no ``value``) or verdict map; ``key`` and ``value`` in nft's spelling."""

    key: str
    value: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A named set or map; ``timeout`` in seconds makes it a dynamic set that the kernel fills itself."""

    kind: Kind
    name: str
    type: str
    comment: str = ""
    timeout: int | None = None


Elements = Mapping[str, Mapping[str, Element]]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The table of one family.

    ``elements`` are by container, then by key. A container in ``absent`` must not exist (``nodeport-ips`` when every
    address takes node ports).
    """

    family: Family
    chains: Mapping[str, Chain]
    containers: Mapping[str, Container]
    elements: Elements
    absent: tuple[Container, ...] = ()
    comment: str = "rules for kube-proxy"

    @property
    def table(self) -> str:
        """``ip kube-proxy`` or ``ip6 kube-proxy``."""
        return f"{ip_word(self.family)} kube-proxy"


def ip_word(family: Family) -> str:
    """nft's word for the family: ``ip`` or ``ip6``."""
    return "ip" if family is Family.IPV4 else "ip6"


def address_type(family: Family) -> str:
    """nft's type of an address: ``ipv4_addr`` or ``ipv6_addr``."""
    return "ipv4_addr" if family is Family.IPV4 else "ipv6_addr"
