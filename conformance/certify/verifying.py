"""Whether a conformance report is to be believed: alone, and beside the results that it was made of.

Each complaint is one sentence; a report that nobody has touched has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from conformance.certify.catalogue import Catalogue, Claim, claims_of, fingerprint
from conformance.certify.certifying import certify
from conformance.certify.report import Outcome, ProfileReport, Report, outcome_of
from conformance.model.cluster import ProxyMode
from conformance.model.printable import short
from conformance.model.result import Result
from conformance.results.run import Run

_MOST_NAMES = 5
_SKEW = timedelta(hours=1)
"""Of clocks: what lies less far ahead is not in the future."""


def verify(report: Report, catalogues: Mapping[str, Catalogue], now: datetime) -> Iterator[str]:
    """What the report alone gives away; ``catalogues`` are those of the kit's versions, ``now`` has a time zone."""
    yield from _dates(report, now)
    catalogue = catalogues.get(report.kit_version)
    if catalogue is None:
        yield (
            f"The report is of kit {short(report.kit_version)}, which this kit does not know: "
            f"it knows {', '.join(sorted(catalogues))}."
        )
    due = claims_of(report.run.profile)
    told = Counter(one.name for one in report.profiles)
    for claim in Claim:
        if told[claim] > 1:
            yield f"Profile {claim.value} is told of {told[claim]} times."
        elif claim in due and not told[claim]:
            yield f"Profile {claim.value} is missing, which a run with --profile {report.run.profile.value} tells of."
        elif told[claim] and claim not in due:
            yield f"Profile {claim.value} is none that a run with --profile {report.run.profile.value} tells of."
    for one in report.profiles:
        yield from _profile(one, catalogue)
        other = report.cluster.proxy_mode in (ProxyMode.IPTABLES.value, ProxyMode.IPVS.value)
        if one.name is Claim.KUBE_PROXY_NFTABLES and one.result is Outcome.SUCCESS and other:
            yield f"Profile {one.name.value} is a success, and the cluster's proxy mode is {report.cluster.proxy_mode}."


def compare(report: Report, run: Run, lines: int, sha256: str, catalogues: Mapping[str, Catalogue]) -> Iterator[str]:
    """What the results give away: those of ``run``, whose file has so many ``lines`` and this digest."""
    if report.run.sha256 != sha256:
        yield f"The results have another digest than the report says: {sha256}."
    yield from (f"The results: {trouble}" for trouble in run.troubles)
    # A later line on the same cell replaces an earlier one, while a run goes on; at its end the kit writes each once.
    if run.footer and lines != (due := sum(1 for _ in run.lines)):
        yield f"The results have {lines} lines, of which {due} count: a run that ended says nothing twice."
    catalogue = catalogues.get(run.header.kit)
    if catalogue is None:
        yield f"The results are of kit {short(run.header.kit)}, which this kit does not know."
        return
    yield from _cells(run.results, catalogue)
    yield from _differences(report, certify(run, sha256, catalogue, report.implementation, report.date))


def _dates(report: Report, now: datetime) -> Iterator[str]:
    if not report.run.ended:
        yield "The run has no end: its results were truncated."
    order = {"start": report.run.started, "end": report.run.ended, "report": report.date}
    times = {}
    for name, text in order.items():
        at = _time(text)
        if at:
            times[name] = at
        elif text:
            yield f"The date of the {name} is no time: {short(text)}."
    for before, after in (("start", "end"), ("end", "report"), ("start", "report")):
        if before in times and after in times and times[before] > times[after]:
            yield f"The {before} of {order[before]} is later than the {after} of {order[after]}."
    yield from (
        f"The date of the {name} is in the future: {order[name]}." for name, at in times.items() if at > now + _SKEW
    )


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _profile(one: ProfileReport, catalogue: Catalogue | None) -> Iterator[str]:
    where, counted = f"Profile {one.name.value}", one.statistics
    lists = {
        "failed": one.failed_cases,
        "skipped": one.skipped_cases,
        "unknown": one.unknown_cases,
        "unsupported": one.unsupported,
        "excused": one.excused,
    }
    for name, cases in lists.items():
        if len(cases) != getattr(counted, name):
            yield f"{where} counts {getattr(counted, name)} cases as {name} and lists {len(cases)}."
    if one.result is not outcome_of(counted):
        yield f"{where} says {one.result.value}; its numbers come to {outcome_of(counted).value}."
    times = Counter(case for cases in lists.values() for case in cases)
    if twice := [case for case, count in times.items() if count > 1]:
        yield f"{where} lists {_some(twice)} more than once."
    if catalogue is None:
        return
    every = frozenset(catalogue.of(one.name))
    if counted.total != len(every):
        yield f"{where} counts {counted.total} cases; kit {catalogue.kit} has {len(every)} of it."
    if alien := [case for case in times if case not in every]:
        yield f"{where} lists {_some(alien)}, which kit {catalogue.kit} does not have in it."


def _cells(results: Iterable[Result], catalogue: Catalogue) -> Iterator[str]:
    cells: dict[str, list[str]] = {}
    for one in results:
        cells.setdefault(one.case, []).append(one.id)
    wrong = []
    for case, ids in cells.items():
        entry = catalogue.cases.get(case)
        own = all(identity == case or identity.startswith(f"{case}.") for identity in ids)
        whole = entry and len(ids) == entry.cells
        if entry is None or not own or len(ids) > entry.cells or (whole and fingerprint(ids) != entry.ids):
            wrong.append(case)
    if wrong:
        yield f"The results have cells that kit {catalogue.kit} does not have, of {_some(wrong)}."


def _differences(report: Report, due: Report) -> Iterator[str]:
    if report.kit_version != due.kit_version:
        yield f"The kit version is {short(report.kit_version)}; the results say {short(due.kit_version)}."
    for part, said, found in (("cluster", report.cluster, due.cluster), ("run", report.run, due.run)):
        for name, one, other in _unequal(said, found):
            if name != "sha256":
                yield f"The {part}'s {name} is {_word(one)}; the results say {_word(other)}."
    wanted = {one.name: one for one in due.profiles}
    for profile in report.profiles:
        for name, _, other in _unequal(profile, wanted.get(profile.name, profile)):
            yield f"Profile {profile.name.value} has other {name} than the results, which come to {_word(other)}."


def _unequal(said: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401  two of one dataclass
    for f in fields(said):
        one, other = getattr(said, f.name), getattr(found, f.name)
        if one != other:
            yield f.name.replace("_", " "), one, other


def _word(value: object) -> str:
    if is_dataclass(value):
        return ", ".join(f"{f.name} {_word(getattr(value, f.name))}" for f in fields(value))
    if isinstance(value, tuple):
        return _some(map(_word, value)) or "none"
    return short(str(value.value if isinstance(value, Enum) else value)) or "none"


def _some(names: Iterable[str]) -> str:
    every = sorted(names)
    more = f" and {len(every) - _MOST_NAMES} more" if len(every) > _MOST_NAMES else ""
    return ", ".join(map(short, every[:_MOST_NAMES])) + more
