"""Upstream bugs that excuse a failed cell: in certain versions and modes, until a date, and never on certain builds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from conformance.model.cluster import ProxyMode
from conformance.model.release import Release, release
from conformance.spec.concern import Concern
from conformance.spec.entries import (
    Entry,
    day,
    link,
    malformed,
    may,
    member,
    modes,
    names,
    need,
    only,
    sentence,
    tables,
    truth,
    values,
    version,
)

_KEYS = {"cases", "since", "before", "modes", "not_builds", "link", "summary", "expires", "sometimes", "harmful",
         "concerns"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """One bug: the cases or cells that meet it, where it is, and how long that is believed without another look.

    It is in versions from ``since`` on and, if it was mended, below ``before``; in every mode if ``modes`` is empty;
    not in a build whose metadata (what follows ``+`` in the version) is one of ``not_builds``. ``expires`` is the last
    day on which it excuses. ``sometimes``: chance decides whether a cell meets it. ``harmful``: where the bug is,
    whoever asks such a cell does harm to others, so that it is not asked. ``concerns``: whom it can meet in a cluster.
    """

    cases: tuple[str, ...]
    since: Release
    link: str
    summary: str
    expires: date
    before: Release | None = None
    modes: tuple[ProxyMode, ...] = ()
    not_builds: tuple[str, ...] = ()
    sometimes: bool = False
    harmful: bool = False
    concerns: Concern = Concern.CLUSTER

    def meets(self, cell_id: str) -> bool:
        """Whether the cell is, or belongs to, what ``cases`` names: the first parts of its ID, ``*`` within a part."""
        return any(begins(cell_id, name) for name in self.cases)

    def is_in(self, version: str | None, mode: ProxyMode | None) -> bool:
        """Whether a cluster of this version and mode has the bug; what is not known of a cluster excuses nothing."""
        number = release(version)
        if version is None or number is None:
            return False
        late = self.before is not None and number >= self.before
        other = bool(self.modes) and mode not in self.modes
        return number >= self.since and not late and not other and not self._spares(version)

    def _spares(self, version: str) -> bool:
        metadata = version.partition("+")[2]
        return any(metadata == build or metadata.startswith(f"{build}.") for build in self.not_builds)


def begins(cell_id: str, name: str) -> bool:
    """Whether ``name`` is the cell's ID or the first parts of it, ``*`` standing for anything within a part."""
    if "*" not in name:  # most are plain, and every cell is asked about
        return cell_id == name or cell_id.startswith(f"{name}.")
    parts, patterns = cell_id.split("."), name.split(".")
    return len(patterns) <= len(parts) and all(map(fnmatchcase, parts, patterns))


def in_force(
    issues: Iterable[KnownIssue], version: str | None, mode: ProxyMode | None, today: date
) -> tuple[KnownIssue, ...]:
    """The issues that excuse anything on such a cluster today.

    ``version`` is the API server's gitVersion. A pre-release, and whatever else a distribution appends, counts as the
    release that it is named after.
    """
    return tuple(i for i in issues if today <= i.expires and i.is_in(version, mode))


def excuse(issues: Iterable[KnownIssue], cell_id: str) -> KnownIssue | None:
    """The first of the issues, which are in force, that excuses the cell, or None."""
    return next((i for i in issues if i.meets(cell_id)), None)


def lapsed(
    issues: Iterable[KnownIssue], cell_ids: Iterable[str], version: str | None, mode: ProxyMode | None, today: date
) -> list[KnownIssue]:
    """The issues that would excuse one of the cells, had they not expired: a run has to say so."""
    asked = tuple(cell_ids)
    return [i for i in issues if today > i.expires and i.is_in(version, mode) and any(map(i.meets, asked))]


def read(text: str, name: str) -> tuple[KnownIssue, ...]:
    """The issues of a TOML document called ``name``; `UsageError` with one sentence when it is malformed."""
    return tuple(_issue(plain, where) for plain, where in tables(text, name, "issue")["issue"])


def _issue(plain: Entry, where: str) -> KnownIssue:
    only(plain, _KEYS, where)
    issue = KnownIssue(
        cases=need(plain, "cases", names, where, "a list of case or cell IDs"),
        since=need(plain, "since", version, where, 'a version such as "1.36" or "1.36.3"'),
        link=need(plain, "link", link, where, "an https:// address"),
        summary=need(plain, "summary", sentence, where, "a sentence"),
        expires=need(plain, "expires", day, where, "a date such as 2027-06-30, without quotes"),
        before=may(plain, "before", version, where, 'a version such as "1.37" or "1.36.3"', None),
        modes=may(plain, "modes", modes, where, "a list of " + ", ".join(m.value for m in ProxyMode), ()),
        not_builds=may(plain, "not_builds", names, where, "a list of words", ()),
        sometimes=may(plain, "sometimes", truth, where, "true", False),
        harmful=may(plain, "harmful", truth, where, "true", False),
        concerns=may(plain, "concerns", member(Concern), where, values(Concern), Concern.CLUSTER),
    )
    if issue.before is not None and issue.before <= issue.since:
        raise malformed(f"{where} ends before {plain['before']}, which is not after its beginning {plain['since']}.")
    return issue
