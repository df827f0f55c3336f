"""A cell: one client dialling one destination for one case, in terms of roles."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.model.addresses import Family, Protocol
from conformance.model.case import ClientRef, DestinationRef, Level, ServiceSpec, Then
from conformance.model.source import Source


@dataclass(frozen=True, slots=True)
class Cell:
    """What is dialled, why, and how often; ``id`` is stable across clusters and runs, e.g. ``ETP-03.ipv4-tcp``."""

    id: str
    case: str
    area: str
    promise: str
    level: Level
    sources: tuple[Source, ...]
    service: ServiceSpec
    client: ClientRef
    destination: DestinationRef
    family: Family
    protocol: Protocol
    dials: int
    then: Then | None = None  # written by hand in a case; None in the matrix, where the oracle alone speaks


@dataclass(frozen=True, slots=True)
class Excluded:
    """A cell that does not apply to this cluster, with the fact that says so."""

    cell: Cell
    why: str
