"""The gate: what of a comparison blocks, by a policy that people write down and that runs out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, TypeVar

from conformance.compare.changes import Change, Comparison, Kind
from conformance.errors import UsageError
from conformance.model.case import Level
from conformance.spec.known_issues import begins

E = TypeVar("E", bound=Enum)
_KEYS, _ACCEPT_KEYS = {"levels", "block", "accept"}, {"cells", "difference", "reason", "until"}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Changes that do not block until the day ``until``: of ``cells`` (IDs or first parts), or of a ``difference``."""

    reason: str
    until: date
    cells: tuple[str, ...] = ()
    difference: str = ""

    def covers(self, change: Change) -> bool:
        """Whether the change is one of those."""
        documented = change.difference is not None and change.difference.id == self.difference
        return documented or any(begins(change.cell.id, name) for name in self.cells)


@dataclass(frozen=True, slots=True)
class Policy:
    """Changes of these kinds, of promises of these levels, block, unless accepted."""

    levels: tuple[Level, ...] = (Level.MUST, Level.SHOULD)
    block: tuple[Kind, ...] = (Kind.NEWLY_FAILING, Kind.NO_LONGER_ASKED, Kind.CHANGED)
    accepted: tuple[Acceptance, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the gate says; ``expired`` acceptances would have covered what blocks, ``unused`` ones cover nothing."""

    blocking: tuple[Change, ...] = ()
    troubles: tuple[str, ...] = ()
    accepted: int = 0
    expired: tuple[Acceptance, ...] = ()
    unused: tuple[Acceptance, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether the gate opens."""
        return not self.blocking and not self.troubles


def rule(comparison: Comparison, policy: Policy, today: date) -> Ruling:
    """What ``policy`` makes of ``comparison`` on the day ``today``.

    What an acceptance covers that has run out blocks, of whatever kind and level it is, so that somebody looks again.
    A run that is truncated, or not what its footer says, never passes.
    """
    valid = [one for one in policy.accepted if today <= one.until]
    over = [one for one in policy.accepted if today > one.until]
    blocking, accepted = [], 0
    for change in comparison.changes:
        by_policy = change.kind in policy.block and change.cell.level in policy.levels
        if any(one.covers(change) for one in valid):
            accepted += by_policy
        elif by_policy or any(one.covers(change) for one in over):
            blocking.append(change)
    return Ruling(
        blocking=tuple(blocking),
        troubles=comparison.after.troubles,
        accepted=accepted,
        expired=tuple(one for one in over if any(map(one.covers, blocking))),
        unused=tuple(one for one in policy.accepted if not any(map(one.covers, comparison.changes))),
    )


def read(text: str, name: str, differences: Iterable[str]) -> Policy:
    """The policy in a TOML document called ``name``; `UsageError` with one sentence when it is malformed.

    ``differences`` are the IDs that an acceptance may name.
    """
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _malformed(f"{name} is no TOML: {error}.") from error
    _only(plain, _KEYS, name)
    default = Policy()
    accepted = plain.get("accept", [])
    if not isinstance(accepted, list) or not all(isinstance(one, dict) for one in accepted):
        raise _malformed(f"{name} has an accept that is no [[accept]] table.")
    return Policy(
        levels=_members(plain, "levels", Level, name, default.levels),
        block=_members(plain, "block", Kind, name, default.block),
        accepted=tuple(
            _acceptance(one, f"{name}: accept {number}", frozenset(differences))
            for number, one in enumerate(accepted, 1)
        ),
    )


def _acceptance(plain: dict[str, Any], where: str, differences: frozenset[str]) -> Acceptance:
    _only(plain, _ACCEPT_KEYS, where)
    reason, until = plain.get("reason"), plain.get("until")
    if not isinstance(reason, str) or not reason.strip():
        raise _malformed(f"{where} has no reason, which is a sentence.")
    if type(until) is not date:  # a datetime is a date as well, but says more than is meant
        raise _malformed(f"{where} has no until, which is a date such as 2027-06-30, without quotes.")
    cells, difference = plain.get("cells", []), plain.get("difference", "")
    if not isinstance(cells, list) or not all(isinstance(one, str) and one for one in cells):
        raise _malformed(f"{where} has cells = {cells!r}, which is not a list of case or cell IDs.")
    if difference and difference not in differences:
        raise _malformed(f"{where} has difference = {difference!r}, which is none of {', '.join(sorted(differences))}.")
    if bool(cells) == bool(difference):
        raise _malformed(f"{where} must have either cells or a difference.")
    return Acceptance(reason, until, tuple(cells), difference)


def _members(plain: dict[str, Any], key: str, kind: type[E], where: str, default: tuple[E, ...]) -> tuple[E, ...]:
    if key not in plain:
        return default
    known: dict[object, E] = {one.value: one for one in kind}
    values = plain[key]
    if not isinstance(values, list) or not all(isinstance(one, str) and one in known for one in values):
        raise _malformed(f"{where} has {key} = {values!r}, which is not a list of {', '.join(map(str, known))}.")
    return tuple(known[one] for one in values)


def _only(plain: dict[str, Any], keys: Iterable[str], where: str) -> None:
    if unknown := sorted(plain.keys() - set(keys)):
        raise _malformed(f"{where} says {', '.join(unknown)}, which means nothing.")


def _malformed(cause: str) -> UsageError:
    return UsageError(cause, "docs/results.md says what a gate's policy holds.")
