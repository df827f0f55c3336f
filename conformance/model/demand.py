"""What is looked at on a node, and what a row demands of the readings found there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Aspect(Enum):
    """One look at a node; each brings readings by name (``fixtures/readings``), which a row's demands are about."""

    KERNEL = "kernel"
    PROXY_NFT = "kube-proxy-nft"
    HOST_NFT = "host-nft"
    FORWARDING = "forwarding"
    REVERSE_PATH = "reverse-path"
    CONNTRACK = "conntrack"
    MODE = "mode"
    HOOKS = "hooks"
    IPTABLES_MODE = "iptables-mode"
    IPVS_MODE = "ipvs-mode"
    NEIGHBOURS = "neighbours"
    POLICIES = "policies"
    FLAVOURS = "flavours"
    FAILURES = "failures"


Reading = str | int | list[str]
"""A text, a number, or a list of what was found. What could not be read is no reading at all."""


class Relation(Enum):
    """How a reading must stand to the demanded value."""

    IS = "is"
    AT_LEAST = "at least"
    AT_MOST = "at most"
    CONSISTS_OF = "consists of"


@dataclass(frozen=True, slots=True)
class Demand:
    """One reading, compared with a value; versions and numbers are compared part by part (``5.13`` < ``5.15.0-1``)."""

    reading: str
    relation: Relation
    value: str | int | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of the demands is enough."""

    demands: tuple[Demand, ...]


def is_(reading: str, value: str | int) -> Demand:
    """The reading is exactly this."""
    return Demand(reading, Relation.IS, value)


def at_least(reading: str, value: str | int) -> Demand:
    """The reading, a number or a version, is this or more."""
    return Demand(reading, Relation.AT_LEAST, value)


def at_most(reading: str, value: str | int) -> Demand:
    """The reading, a number or a version, is this or less."""
    return Demand(reading, Relation.AT_MOST, value)


def consists_of(reading: str, *members: str) -> Demand:
    """The list has these members, in any order, and no others."""
    return Demand(reading, Relation.CONSISTS_OF, members)


def none(reading: str) -> Demand:
    """The list is empty."""
    return consists_of(reading)


def either(*demands: Demand) -> Either:
    """One of these is enough."""
    return Either(demands)
