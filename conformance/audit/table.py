"""kube-proxy's table of one family, as the kernel has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from conformance.audit.steps import Rule, Verdict
from conformance.model.addresses import Family

NAME = "kube-proxy"
Key: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a base chain hangs, and what becomes of packets that it does not decide about."""

    type: str
    hook: str
    priority: int
    policy: str = "accept"


@dataclass(slots=True)
class Chain:
    """A chain and its rules in order; ``hook`` only for base chains."""

    name: str
    hook: Hook | None = None
    rules: list[Rule] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Element:
    """An element; ``verdict`` only in maps."""

    key: Key
    verdict: Verdict | None = None
    comment: str = ""


@dataclass(slots=True)
class Container:
    """A named set or map; ``timeout`` in seconds, ``size`` in elements, each None where none is set.

    The elements of dynamic sets are client addresses that come and go: they are not kept.
    """

    name: str
    type: tuple[str, ...]
    is_map: bool = False
    timeout: int | None = None
    size: int | None = None
    elements: dict[Key, Element] = field(default_factory=dict)
    repeated: list[Key] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """Chains and containers by name; ``dormant`` tables hang on no hook."""

    family: Family
    chains: dict[str, Chain] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    dormant: bool = False


Tables: TypeAlias = Mapping[Family, Table]
