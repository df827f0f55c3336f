"""Two runs, cell by cell: what fails or passes by now, behaves otherwise, or is not asked any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from conformance.model.result import Result
from conformance.model.verdict import Status
from conformance.results.run import Run
from conformance.spec.mode_differences import Difference, between


class Kind(Enum):
    """How a cell of one run differs from the same of the other; the worst first."""

    NEWLY_FAILING = "newly-failing"
    STILL_FAILING = "still-failing"
    NO_LONGER_ASKED = "no-longer-asked"  # it was judged before, and is not: left out, not applicable, unknown
    CHANGED = "changed"  # both are as they should be, and that is not the same, nor documented
    DOCUMENTED = "documented"  # the modes differ so, says the documentation
    NEWLY_PASSING = "newly-passing"
    NEWLY_ASKED = "newly-asked"  # it was not judged before, and does not fail


_JUDGED = (Status.PASSED, Status.FAILED, Status.KNOWN_ISSUE)


@dataclass(frozen=True, slots=True)
class Change:
    """One cell; ``before`` or ``after`` None: that run does not have it. ``difference`` is what documents it."""

    kind: Kind
    before: Result | None
    after: Result | None
    difference: Difference | None = None

    @property
    def cell(self) -> Result:
        """The cell as it is known last."""
        one = self.after or self.before
        assert one is not None
        return one

    @property
    def words(self) -> tuple[str, str]:
        """What it was before and is after, in a few words each."""
        return _words(self.before, self.kind), _words(self.after, self.kind)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, the worst kinds first; ``same`` cells do not. ``unseen`` are differences that no run can show."""

    before: Run
    after: Run
    changes: tuple[Change, ...]
    same: int
    unseen: tuple[Difference, ...] = ()

    def of(self, kind: Kind) -> tuple[Change, ...]:
        """The changes of this kind."""
        return tuple(one for one in self.changes if one.kind is kind)


def compare(before: Run, after: Run, documented: Iterable[Difference]) -> Comparison:
    """``after`` against ``before``; ``documented`` are the differences between modes that documentation knows."""
    known = between(before.facts.proxy_mode.value, after.facts.proxy_mode.value, documented)
    old, new = ({one.id: one for one in run.results} for run in (before, after))
    found = [_change(old.get(name), new.get(name), known) for name in sorted(old.keys() | new.keys())]
    order = {kind: number for number, kind in enumerate(Kind)}
    changes = sorted((one for one in found if one), key=lambda one: order[one.kind])
    unseen = tuple(each for each in known if not each.cases and not each.destinations)
    return Comparison(before, after, tuple(changes), len(found) - len(changes), unseen)


def _change(before: Result | None, after: Result | None, known: Iterable[Difference]) -> Change | None:
    was, now = _judged(before), _judged(after)
    if now is Status.FAILED:
        return Change(Kind.STILL_FAILING if was is Status.FAILED else Kind.NEWLY_FAILING, before, after)
    if was is None and now is None:
        return None
    if was is not Status.FAILED and (shown := _documented(before, after, known)):
        return Change(Kind.DOCUMENTED, before, after, shown)
    if now is None:
        return Change(Kind.NO_LONGER_ASKED, before, after)
    if was is None:
        return Change(Kind.NEWLY_ASKED, before, after)
    if was is not now:
        kind = Kind.NEWLY_PASSING if now is Status.PASSED else Kind.CHANGED
        return Change(kind, before, after)
    return None if _due(before) == _due(after) else Change(Kind.CHANGED, before, after)


def _judged(one: Result | None) -> Status | None:
    return one.status if one is not None and one.status in _JUDGED else None


def _documented(before: Result | None, after: Result | None, known: Iterable[Difference]) -> Difference | None:
    """What documents that the cell behaves otherwise, or does not apply in one of the modes."""
    if before is None or after is None or _due(before) == _due(after):
        return None
    if Status.UNKNOWN in (before.status, after.status):
        return None
    due = (_due(before), _due(after))
    return next((each for each in known if each.shows(after.id, after.destination, due)), None)


def _due(one: Result | None) -> str:
    return one.account.due if one is not None and one.account is not None else ""


def _words(one: Result | None, kind: Kind) -> str:
    if one is None:
        return "not in the run"
    if one.status in (Status.NOT_APPLICABLE, Status.UNKNOWN):
        return f"{one.status.value}: {one.message}"
    if kind in (Kind.CHANGED, Kind.DOCUMENTED) and one.account:
        return f"{one.status.value}: {one.account.due}"
    return f"{one.status.value}: {one.message}" if one.status is not Status.PASSED else one.status.value
