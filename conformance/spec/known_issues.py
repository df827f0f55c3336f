"""Upstream bugs that excuse a failed cell: in certain versions and modes, until a date, and never on certain builds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from conformance.errors import UsageError
from conformance.model.cluster import ProxyMode

T = TypeVar("T")

Version = tuple[int, int, int]

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_KEYS = {"cases", "since", "before", "modes", "not_builds", "link", "summary", "expires", "sometimes", "harmful"}


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """One bug: the cases or cells that meet it, where it is, and how long that is believed without another look.

    It is in versions from ``since`` on and, if it was mended, below ``before``; in every mode if ``modes`` is empty;
    not in a build whose metadata (what follows ``+`` in the version) is one of ``not_builds``. ``expires`` is the last
    day on which it excuses. ``sometimes``: chance decides whether a cell meets it. ``harmful``: where the bug is,
    whoever asks such a cell does harm to others, so that it is not asked.
    """

    cases: tuple[str, ...]
    since: Version
    link: str
    summary: str
    expires: date
    before: Version | None = None
    modes: tuple[ProxyMode, ...] = ()
    not_builds: tuple[str, ...] = ()
    sometimes: bool = False
    harmful: bool = False

    def meets(self, cell_id: str) -> bool:
        """Whether the cell is, or belongs to, what ``cases`` names: the first parts of its ID, ``*`` within a part."""
        return any(begins(cell_id, name) for name in self.cases)

    def is_in(self, version: str | None, mode: ProxyMode | None) -> bool:
        """Whether a cluster of this version and mode has the bug; what is not known of a cluster excuses nothing."""
        found = _VERSION.match(version or "")
        if version is None or found is None:
            return False
        number = _numbers(found)
        late = self.before is not None and number >= self.before
        other = bool(self.modes) and mode not in self.modes
        return number >= self.since and not late and not other and not self._spares(version)

    def _spares(self, version: str) -> bool:
        metadata = version.partition("+")[2]
        return any(metadata == build or metadata.startswith(f"{build}.") for build in self.not_builds)


def begins(cell_id: str, name: str) -> bool:
    """Whether ``name`` is the cell's ID or the first parts of it, ``*`` standing for anything within a part."""
    parts, patterns = cell_id.split("."), name.split(".")
    return len(patterns) <= len(parts) and all(map(fnmatchcase, parts, patterns))


def excuse(
    issues: Iterable[KnownIssue], cell_id: str, version: str | None, mode: ProxyMode | None, today: date
) -> KnownIssue | None:
    """The first issue that excuses the cell on such a cluster today, or None.

    ``version`` is the API server's gitVersion. A pre-release, and whatever else a distribution appends, counts as the
    release that it is named after.
    """
    return next((i for i in issues if i.meets(cell_id) and i.is_in(version, mode) and today <= i.expires), None)


def lapsed(
    issues: Iterable[KnownIssue], cell_ids: Iterable[str], version: str | None, mode: ProxyMode | None, today: date
) -> list[KnownIssue]:
    """The issues that would excuse one of the cells, had they not expired: a run has to say so."""
    asked = tuple(cell_ids)
    return [i for i in issues if today > i.expires and i.is_in(version, mode) and any(map(i.meets, asked))]


def read(text: str, name: str) -> tuple[KnownIssue, ...]:
    """The issues of a TOML document called ``name``; `UsageError` with one sentence when it is malformed."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _malformed(f"{name} is no TOML: {error}.") from error
    plain = document.get("issue", [])
    unknown = sorted(document.keys() - {"issue"})
    if unknown or not isinstance(plain, list) or not all(isinstance(one, dict) for one in plain):
        raise _malformed(f"{name} holds {', '.join(unknown) or 'issue'}, where only [[issue]] tables are expected.")
    return tuple(_issue(one, f"{name}: issue {number}") for number, one in enumerate(plain, 1))


def _issue(plain: dict[str, Any], where: str) -> KnownIssue:
    unknown = sorted(plain.keys() - _KEYS)
    if unknown:
        raise _malformed(f"{where} says {', '.join(unknown)}, which means nothing.")
    issue = KnownIssue(
        cases=_need(plain, "cases", _names, where, "a list of case or cell IDs"),
        since=_need(plain, "since", _version, where, 'a version such as "1.36" or "1.36.3"'),
        link=_need(plain, "link", _link, where, "an https:// address"),
        summary=_need(plain, "summary", _sentence, where, "a sentence"),
        expires=_need(plain, "expires", _day, where, "a date such as 2027-06-30, without quotes"),
        before=_may(plain, "before", _version, where, 'a version such as "1.37" or "1.36.3"', None),
        modes=_may(plain, "modes", _modes, where, "a list of " + ", ".join(m.value for m in ProxyMode), ()),
        not_builds=_may(plain, "not_builds", _names, where, "a list of words", ()),
        sometimes=_may(plain, "sometimes", _truth, where, "true", False),
        harmful=_may(plain, "harmful", _truth, where, "true", False),
    )
    if issue.before is not None and issue.before <= issue.since:
        raise _malformed(f"{where} ends before {plain['before']}, which is not after its beginning {plain['since']}.")
    return issue


def _need(plain: dict[str, Any], key: str, parse: Callable[[Any], T | None], where: str, form: str) -> T:
    if key not in plain:
        raise _malformed(f"{where} has no {key}, which is {form}.")
    value = parse(plain[key])
    if value is None:
        raise _malformed(f"{where} has {key} = {plain[key]!r}, which is not {form}.")
    return value


def _may(plain: dict[str, Any], key: str, parse: Callable[[Any], T | None], where: str, form: str, default: T) -> T:
    return _need(plain, key, parse, where, form) if key in plain else default


def _sentence(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _truth(value: object) -> bool | None:
    return True if value is True else None


def _link(value: object) -> str | None:
    return value if isinstance(value, str) and value.startswith("https://") else None


def _day(value: object) -> date | None:
    return value if type(value) is date else None  # a datetime is a date as well, but says more than is meant


def _version(value: object) -> Version | None:
    found = _VERSION.fullmatch(value) if isinstance(value, str) else None
    return _numbers(found) if found else None


def _names(value: object) -> tuple[str, ...] | None:
    ok = isinstance(value, list) and value and all(isinstance(one, str) and one for one in value)
    return tuple(value) if ok and isinstance(value, list) else None


def _modes(value: object) -> tuple[ProxyMode, ...] | None:
    names = _names(value)
    known = {mode.value: mode for mode in ProxyMode}
    return tuple(known[n] for n in names) if names and all(n in known for n in names) else None


def _numbers(found: re.Match[str]) -> Version:
    return int(found[1]), int(found[2]), int(found[3] or 0)


def _malformed(cause: str) -> UsageError:
    return UsageError(cause, "Correct the file of known issues.")
