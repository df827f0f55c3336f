"""Which function puts in which fault, and what such a function may know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from conformance.lab.faults.board import Switch
from conformance.model.parse import SERVICE_NAME_LABEL
from conformance.spec.faults import Fault

Json = dict[str, Any]
_T = TypeVar("_T")

SERVICES, SLICES = "services", "endpointslices"


@dataclass(frozen=True)
class World:
    """What the API has: Services by ``namespace/name``, the slices of each of them, and the kube-proxy's own Node."""

    services: Mapping[str, Json]
    slices: Mapping[str, tuple[Json, ...]]
    node: Json
    _derived: dict[Callable[[World], Any], Any] = field(default_factory=dict, compare=False)

    def derive(self, how: Callable[[World], _T]) -> _T:
        """``how(self)``, worked out once however many objects ask for it."""
        if how not in self._derived:
            self._derived[how] = how(self)
        found: _T = self._derived[how]
        return found


@dataclass(frozen=True)
class Around:
    """What surrounds one object that kube-proxy is about to be shown.

    ``shown`` is what it was shown of this very object before, ``memory`` what the fault noted about it.
    """

    world: World
    shown: Json | None = None
    memory: Json = field(default_factory=dict)

    def service(self, one: Json) -> Json | None:
        """The Service of a slice."""
        return self.world.services.get(owner(one))

    def siblings(self, one: Json) -> tuple[Json, ...]:
        """All slices of its Service, itself included."""
        return self.world.slices.get(owner(one), ())


Alteration = Callable[[Json, Around], Json | None]
"""From the object that there is to the one that kube-proxy is shown; None hides it."""

Retention = Callable[[Json, Around], bool]
"""Whether an object that is gone is still shown, as it was shown last."""

ALTERATIONS: dict[tuple[Fault, str], Alteration] = {}
RETENTIONS: dict[tuple[Fault, str], Retention] = {}


def puts_in(fault: Fault, kind: str) -> Callable[[Alteration], Alteration]:
    """Register an alteration of the objects of ``kind`` (``SERVICES`` or ``SLICES``)."""

    def register(alteration: Alteration) -> Alteration:
        ALTERATIONS[fault, kind] = alteration
        return alteration

    return register


def retains(fault: Fault, kind: str) -> Callable[[Retention], Retention]:
    """Register what of ``kind`` is shown on when it is gone."""

    def register(retention: Retention) -> Retention:
        RETENTIONS[fault, kind] = retention
        return retention

    return register


def owner(one: Json) -> str:
    """``namespace/name`` of the Service that a slice belongs to."""
    labels = one["metadata"].get("labels") or {}
    return f"{one['metadata'].get('namespace', '')}/{labels.get(SERVICE_NAME_LABEL, '')}"


def concerns(switch: Switch, kind: str, one: Json) -> bool:
    """Whether a Service, or the Service of a slice, suffers the fault."""
    if kind == SLICES:
        namespace, _, name = owner(one).partition("/")
    else:
        namespace, name = one["metadata"].get("namespace", ""), one["metadata"]["name"]
    return switch.is_about(namespace, name)
