"""What a proxy's mode is to the rest of it: how rules are made of Services, and how they get into the kernel."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol, TypeVar

from conformance.lab.proxy.place import Place
from conformance.model.kube import EndpointSlice, Service


class Part(Protocol):
    """The rules of one Service; Local policies without an endpoint on this node are counted."""

    ports_without_internal: int
    ports_without_external: int


P = TypeVar("P", bound=Part)


class Backend(Protocol[P]):
    """One family's rules in one mode. ``written`` says that the kernel has what was written last, or all is due."""

    written: bool

    def part(self, service: Service, slices: Iterable[EndpointSlice], here: Place) -> P:
        """The rules that ``service`` needs ``here``; pure."""

    async def tidy(self) -> bool:
        """Do what is due besides; False when it failed and all has to be written."""

    async def write(self, parts: Mapping[str, P], changed: Collection[str] | None, here: Place) -> bool:
        """Have these rules in the kernel, of which only ``changed`` Services differ (None: write all); False: failed.

        ``parts`` are in the order of precedence of their Services.
        """

    def due(self) -> float | None:
        """Seconds until `tidy` wants to be called, if it does."""
