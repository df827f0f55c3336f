"""A cell: one client dialling one destination for one case, in terms of roles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from conformance.model.addresses import Family, Protocol
from conformance.model.case import (
    Backend,
    ClientRef,
    DestinationRef,
    Dialling,
    Disturb,
    Level,
    PolicySpec,
    Profile,
    ServiceSpec,
    Submission,
    Then,
)
from conformance.model.case.refs import API
from conformance.model.client import DestinationKind
from conformance.model.source import Source


@dataclass(frozen=True, slots=True)
class Cell:
    """What is dialled, why, and how often; ``id`` is stable across clusters and runs, e.g. ``ETP-03.ipv4-tcp``.

    ``phases`` are the Services of the whole case, before and after each change; it is asked in ``phase``. ``story`` is
    the part of the ID that all questions of one case, family and protocol share.
    """

    id: str
    case: str
    area: str
    promise: str
    level: Level
    sources: tuple[Source, ...]
    phases: tuple[tuple[ServiceSpec, ...], ...]
    what: Dialling | Submission
    family: Family | None
    protocol: Protocol | None
    dials: int
    then: Then | None = None  # written by hand in a case; None in the matrix, where the oracle alone speaks
    phase: int = 0
    story: str = ""
    alone: bool = False  # asked when all others have been
    profile: Profile = Profile.CORE
    disturbances: tuple[Disturb | None, ...] = ()  # what goes on in each phase; none listed: nothing in any
    policies: tuple[tuple[PolicySpec, ...], ...] = ()  # those of each phase; none listed: none in any

    @property
    def changing(self) -> bool:
        """Whether its story has several steps, and Services may change between them."""
        return len(self.phases) > 1

    @property
    def disruptive(self) -> bool:
        """Whether its story disturbs others."""
        return any(self.disturbances)

    @property
    def policed(self) -> bool:
        """Whether there are NetworkPolicies anywhere in its story."""
        return any(self.policies)

    @property
    def wards(self) -> tuple[Backend, ...]:
        """The pods that its story's NetworkPolicies are about."""
        return tuple(dict.fromkeys(b for phase in self.policies for p in phase for b in p.about))

    @property
    def disturbance(self) -> Disturb | None:
        """What goes on while it is asked."""
        return self.disturbances[self.phase] if self.disturbances else None

    @property
    def services(self) -> tuple[ServiceSpec, ...]:
        """The case's Services that exist when it is asked."""
        return self.phases[self.phase]

    @property
    def specs(self) -> tuple[ServiceSpec, ...]:
        """Every Service of the case in every phase."""
        if len(self.phases) == 1:
            return self.phases[0]
        return tuple(dict.fromkeys(s for phase in self.phases for s in phase))

    @property
    def dialling(self) -> Dialling:
        """Who dials what; `TypeError` of a cell that asks the API server."""
        if isinstance(self.what, Submission):
            raise TypeError(f"{self.id} dials nobody")
        return self.what

    @property
    def client(self) -> ClientRef:
        """Who asks."""
        return API if isinstance(self.what, Submission) else self.what.client

    @property
    def destination(self) -> DestinationRef:
        """What is asked."""
        if isinstance(self.what, Submission):
            return DestinationRef(DestinationKind.API, word=self.what.decisive.verb.name.lower())
        return self.what.destination

    @property
    def service(self) -> ServiceSpec:
        """The Service that the destination is about, as it is now or, when it is gone, as it was."""
        if isinstance(self.what, Submission):
            return self.what.service
        known = (*self.services, *chain(*self.phases))
        of = self.what.destination.of
        return next((s for s in known if s.name == of), known[0]) if of else known[0]


@dataclass(frozen=True, slots=True)
class Excluded:
    """A cell that does not apply to this cluster, with the fact that says so."""

    cell: Cell
    why: str
