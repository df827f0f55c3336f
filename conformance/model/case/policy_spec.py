"""A NetworkPolicy to create, in terms of roles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from conformance.model.addresses import Protocol
from conformance.model.case.backend import Backend
from conformance.model.case.refs import ClientRef, DestinationRef


class Space(Enum):
    """A namespace of the run: that of its Services and pods, or the one of its host-network agents."""

    OWN = "own"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PodsSpec:
    """Pods by their labels; ``whom`` empty: all. ``space`` None says nothing of namespaces: the policy's own."""

    whom: tuple[Backend | ClientRef, ...] = ()
    space: Space | None = None


@dataclass(frozen=True, slots=True)
class BlockSpec:
    """The addresses of ``whom``, one block each; None is everybody, but for ``excepting``.

    A destination is a Service's ClusterIP.
    """

    whom: ClientRef | DestinationRef | None = None
    excepting: tuple[ClientRef, ...] = ()


@dataclass(frozen=True, slots=True)
class AllowedPort:
    """Ports of the pod that is dialled: ``number`` or a container port's name; None are those around its own.

    ``around`` are the first and the last, counted from the pod's own port number.
    """

    protocol: Protocol
    number: int | str | None = None
    around: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """What is let pass: from or to ``peers`` (none: everybody), at ``ports`` (none: all)."""

    peers: tuple[PodsSpec | BlockSpec, ...] = ()
    ports: tuple[AllowedPort, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """A NetworkPolicy ``called`` so, about the pods of ``about`` (none: all of its namespace).

    ``ingress`` and ``egress`` None are not said, nor are policyTypes where ``types`` is None. ``space`` is where it is.
    """

    called: str
    about: tuple[Backend, ...]
    ingress: tuple[RuleSpec, ...] | None = None
    egress: tuple[RuleSpec, ...] | None = None
    types: tuple[str, ...] | None = None
    space: Space = Space.OWN

    def but(self, **changes: Any) -> PolicySpec:  # noqa: ANN401  the fields' own types
        """The same policy with these fields changed: what it becomes in the course of a case."""
        return replace(self, **changes)


policy = PolicySpec
"""How a row says it: ``policy("npo-01", ward("b", 1), ingress=(allow(pods(pod("a"))),))``."""


def pods(*whom: Backend | ClientRef, space: Space | None = None) -> PodsSpec:
    """Pods as peers, by their labels."""
    return PodsSpec(whom, space)


def block(whom: ClientRef | DestinationRef | None = None, *, excepting: tuple[ClientRef, ...] = ()) -> BlockSpec:
    """Addresses as peers."""
    return BlockSpec(whom, excepting)


def allow(*peers: PodsSpec | BlockSpec, ports: tuple[AllowedPort, ...] = ()) -> RuleSpec:
    """A rule of a policy."""
    return RuleSpec(peers, ports)


def allowed_ports(
    *protocols: Protocol, number: int | str | None = None, around: tuple[int, int] = (0, 0)
) -> tuple[AllowedPort, ...]:
    """The same ports in each of these protocols, as `AllowedPort` says."""
    return tuple(AllowedPort(protocol, number, around) for protocol in protocols)
