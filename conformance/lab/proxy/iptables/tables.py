"""What iptables is to hold of one family: the rules of each Service, and those that no Service changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: matches and target as iptables takes them, and the comment in front of them.

    ``spared`` comments are left out where there are very many endpoints.
    """

    text: str
    comment: str = ""
    spared: bool = False


@dataclass(slots=True)
class Part:
    """The rules of one Service: (chain, rule) in chains that all share, and in nat chains of its own.

    A chain of its own comes before those that it jumps to.
    """

    filter: list[tuple[str, Rule]] = field(default_factory=list)
    nat: list[tuple[str, Rule]] = field(default_factory=list)
    chains: dict[str, list[Rule]] = field(default_factory=dict)
    endpoint_count: int = 0
    ports_without_internal: int = 0
    ports_without_external: int = 0

    @property
    def rule_count(self) -> int:
        """How many rules its own chains have."""
        return sum(map(len, self.chains.values()))


@dataclass(frozen=True, slots=True)
class Frame:
    """The chains that are always there, in both tables, with the rules that end them."""

    filter: Mapping[str, tuple[Rule, ...]]
    nat: Mapping[str, tuple[Rule, ...]]


@dataclass(frozen=True, slots=True)
class Tables:
    """The frame, and the parts by ``namespace/name``."""

    frame: Frame
    parts: Mapping[str, Part]

    @property
    def endpoint_count(self) -> int:
        """Of all Service ports."""
        return sum(part.endpoint_count for part in self.parts.values())


@dataclass(frozen=True, slots=True)
class Host:
    """What the node's kernel was found to do: ``counters`` are nfacct's that exist.

    ``liberal`` is net.netfilter.nf_conntrack_tcp_be_liberal, with which nothing invalid has to be dropped. ``short``
    transactions are all that an ordinary user's netlink socket takes (SO_SNDBUFFORCE takes root; 200 KB go without it).
    """

    counters: frozenset[str] = frozenset()
    liberal: bool = False
    short: bool = False
