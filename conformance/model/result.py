"""What a run says of one cell: plain strings and numbers, made to be written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from conformance.model.case import Dialling, Level, Profile, ServiceSpec, Submission
from conformance.model.cell import Cell
from conformance.model.source import Reason, Source
from conformance.model.verdict import Mismatch, Status

_FULL = 1500


@dataclass(frozen=True, slots=True)
class Variant:
    """The kind of Service that a cell is about, in the API's words; ``endpoints`` are names of the kit's backends."""

    type: str = ""
    internal_policy: str = ""
    external_policy: str = ""
    affinity: bool = False
    endpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """How it went, in words: what was asked, what had to happen and why, and what did.

    ``due`` is what had to happen in words that are the same on any cluster, for comparing runs. ``before`` and
    ``after`` say whether the control address answered; None: it was not asked.
    """

    asked: str
    expected: str
    observed: str
    reasons: tuple[Reason, ...] = ()
    before: bool | None = None
    after: bool | None = None
    due: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """``judged`` is when (UTC, ISO 8601), ``seconds`` how long the dialling took.

    Of ``dials`` ``answers`` were answered, after ``median_ms`` and at most ``slowest_ms`` (milliseconds).
    """

    judged: str = ""
    seconds: float = 0.0
    dials: int = 0
    answers: int = 0
    median_ms: float = 0.0
    slowest_ms: float = 0.0


_NEVER = Timing()


@dataclass(frozen=True, slots=True)
class Excuse:
    """The known issue that was looked at; ``expires`` is its last day (ISO 8601)."""

    link: str
    summary: str
    expires: str


@dataclass(frozen=True, slots=True)
class Result:
    """The judged cell: ``message`` is one sentence; ``account`` None says that it was not asked.

    ``service``, ``client``, ``destination`` are the words of its ID. ``objects`` names the Services concerned, and
    their slices, as they were then (`conformance.results.lines.Objects`). ``divergence`` is where the dial went another
    way than it should have, ``evidence`` the folder with all that was seen of that, from where the run was started.
    ``size`` are the bytes of each question and answer where the case says so, 1500 where they are to fill a packet,
    else 0: a few.
    """

    id: str
    case: str
    area: str
    level: Level
    promise: str
    sources: tuple[Source, ...]
    service: str
    client: str
    destination: str
    family: str
    protocol: str
    status: Status
    mismatch: Mismatch = Mismatch.NONE
    message: str = ""
    profile: Profile = Profile.CORE
    variant: Variant = field(default_factory=Variant)
    account: Account | None = None
    issue: Excuse | None = None
    objects: tuple[str, ...] = ()
    timing: Timing = field(default_factory=Timing)
    divergence: str = ""
    evidence: str = ""
    size: int = 0


def result(
    cell: Cell,
    status: Status,
    *,
    mismatch: Mismatch = Mismatch.NONE,
    message: str = "",
    account: Account | None = None,
    objects: tuple[str, ...] = (),
    timing: Timing = _NEVER,
    divergence: str = "",
    evidence: str = "",
) -> Result:
    """The result of ``cell``: what the cell says itself, and what is said of it."""
    service = cell.service
    return Result(
        id=cell.id,
        case=cell.case,
        area=cell.area,
        level=cell.level,
        promise=cell.promise,
        sources=cell.sources,
        service=service.name,
        client=cell.client.label,
        destination=cell.destination.label,
        family=cell.family.value if cell.family else "",
        protocol=cell.protocol.value if cell.protocol else "",
        status=status,
        mismatch=mismatch,
        message=message,
        profile=cell.profile,
        variant=_variant(service),
        account=account,
        objects=objects,
        timing=timing,
        divergence=divergence,
        evidence=evidence,
        size=0 if isinstance(cell.what, Submission) else _size(cell.what),
    )


def by_area(results: Iterable[Result]) -> dict[str, list[Result]]:
    """The results grouped by area, areas in alphabetical order, results in the order given."""
    grouped: dict[str, list[Result]] = {}
    for one in results:
        grouped.setdefault(one.area, []).append(one)
    return dict(sorted(grouped.items()))


def _size(what: Dialling) -> int:
    return what.size or (_FULL if what.fits or what.too_big else 0)


def _variant(spec: ServiceSpec) -> Variant:
    names = tuple(b.name for b in spec.backends)
    return Variant(spec.type.value, spec.internal_policy.value, spec.external_policy.value, spec.affinity, names)
