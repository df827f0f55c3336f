"""What a run comes to, case by case and profile by profile."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from enum import Enum
from typing import TypeVar

from conformance.certify.catalogue import Catalogue, Claim, Entry, claims_of
from conformance.certify.report import (
    API_VERSION,
    KIND,
    Cluster,
    Feature,
    Implementation,
    Known,
    ProfileReport,
    Report,
    Statistics,
    Tested,
    outcome_of,
)
from conformance.model.case import Level
from conformance.model.printable import short
from conformance.model.result import Result
from conformance.model.verdict import Status
from conformance.results.run import Run

K = TypeVar("K", bound=Hashable)
UNKNOWN = "unknown"
_OPEN = "the API leaves open what happens"
_OPTION = "(--"
"""Where the kit says why it did not ask, and names the option that would have let it."""


class Fate(Enum):
    """What a case comes to, over all its cells."""

    PASSED = "passed"
    FAILED = "failed"
    EXCUSED = "excused"
    UNSUPPORTED = "unsupported"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


def certify(run: Run, sha256: str, catalogue: Catalogue, of: Implementation, date: str) -> Report:
    """The report on ``run``, whose file has the digest ``sha256``, made at ``date`` (UTC, ISO 8601).

    ``catalogue`` is that of the kit that ran; a cell that it does not have is nobody's.
    """
    return Report(
        api_version=API_VERSION,
        kind=KIND,
        date=date,
        kit_version=run.header.kit,
        implementation=of,
        cluster=_cluster(run),
        run=Tested(
            profile=run.header.profile,
            started=run.header.started,
            ended=run.footer.ended if run.footer else "",
            cells=len(run.results),
            sha256=sha256,
        ),
        profiles=profiles(run, catalogue),
    )


def profiles(run: Run, catalogue: Catalogue) -> tuple[ProfileReport, ...]:
    """What each profile that the run is for comes to."""
    cells: dict[str, list[Result]] = {}
    for one in run.results:
        cells.setdefault(one.case, []).append(one)
    return tuple(_profile(claim, catalogue, cells) for claim in claims_of(run.header.profile))


def _profile(claim: Claim, catalogue: Catalogue, cells: Mapping[str, Collection[Result]]) -> ProfileReport:
    by_fate: dict[Fate, list[str]] = {fate: [] for fate in Fate}
    for case in catalogue.of(claim):
        by_fate[fate(catalogue.cases[case], cells.get(case, ()))].append(case)
    counted = Statistics(**{fate.value: len(cases) for fate, cases in by_fate.items()})
    return ProfileReport(
        name=claim,
        result=outcome_of(counted),
        statistics=counted,
        failed_cases=tuple(by_fate[Fate.FAILED]),
        skipped_cases=tuple(by_fate[Fate.SKIPPED]),
        unknown_cases=tuple(by_fate[Fate.UNKNOWN]),
        unsupported_features=tuple(
            Feature(why, tuple(cases))
            for why, cases in _grouped((_lacking(cells[case]), case) for case in by_fate[Fate.UNSUPPORTED]).items()
        ),
        known_issues=tuple(
            Known(link, summary, tuple(cases))
            for (link, summary), cases in _grouped(
                (_excuse(cells[case]), case) for case in by_fate[Fate.EXCUSED]
            ).items()
        ),
    )


def fate(entry: Entry, cells: Collection[Result]) -> Fate:
    """Of a case with a cell that failed: failed. Of one with a cell that is unknown, or that nobody told of: unknown.

    A MUST that does not apply is skipped, as for a whole run, and so is what an option of the run would have let it
    ask. What else does not apply leaves a case to its other cells; one without any is unsupported.
    """
    statuses = {one.status for one in cells}
    if Status.FAILED in statuses:
        return Fate.FAILED
    if Status.UNKNOWN in statuses or len(cells) < entry.cells:
        return Fate.UNKNOWN
    if any(_skipped(entry.level, one) for one in cells):
        return Fate.SKIPPED
    if Status.KNOWN_ISSUE in statuses:
        return Fate.EXCUSED
    return Fate.PASSED if Status.PASSED in statuses else Fate.UNSUPPORTED


def _skipped(level: Level, one: Result) -> bool:
    return one.status is Status.NOT_APPLICABLE and (level is Level.MUST or _OPTION in one.message)


def _lacking(cells: Iterable[Result]) -> str:
    reasons = sorted({one.message for one in cells if one.status is Status.NOT_APPLICABLE and one.message})
    return short(reasons[0]) if reasons else _OPEN


def _excuse(cells: Iterable[Result]) -> tuple[str, str]:
    known = [one.issue for one in cells if one.status is Status.KNOWN_ISSUE and one.issue]
    return min(((_word(issue.link), _word(issue.summary)) for issue in known), default=(UNKNOWN, UNKNOWN))


def _grouped(pairs: Iterable[tuple[K, str]]) -> dict[K, list[str]]:
    grouped: dict[K, list[str]] = {}
    for key, case in pairs:
        grouped.setdefault(key, []).append(case)
    return grouped


def _cluster(run: Run) -> Cluster:
    facts = run.facts
    mode = facts.proxy_mode.value
    return Cluster(
        kubernetes_version=_word(facts.version.value),
        proxy_mode=mode.value if mode else UNKNOWN,
        families=tuple(family.value for family in run.header.families),
        nodes=len(facts.nodes.otherwise(())),
        kernels=tuple(sorted({_word(kernel) for kernel in facts.kernels.otherwise({}).values()})),
        cni=_word(facts.cni.value),
        cni_version=_word(facts.cni_version.value),
    )


def _word(text: str | None) -> str:
    return short(text or UNKNOWN)
