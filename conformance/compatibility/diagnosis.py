"""From which cells failed, and which did not: what probably caused it. It never claims more than the cells say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.compatibility.features import features, place
from conformance.model.result import Result
from conformance.model.verdict import Status
from conformance.results.run import Run
from conformance.spec.causes import Cause, Feature, Features, Pattern

SHARE = 0.9
"""Of the cells that a cause would break so many must fail, and of those that it spares so many must pass."""

_ASUNDER = (Feature.FAMILY, Feature.PROTOCOL)
"""What is only so for one of these is told from something else by the cells of that one alone."""


@dataclass(frozen=True, slots=True)
class Found:
    """A cause with its evidence, ``only`` for some values of a feature, such as one node.

    ``explained`` cells fail as it would have them. ``failing`` of ``like`` cells that it would break do; the others of
    them are cells that it may break. ``spared`` of ``apart`` cells that it would not break passed. What a cause before
    it explains is counted nowhere.
    """

    cause: Cause
    only: tuple[Feature, tuple[str, ...]] | None
    explained: tuple[Result, ...]
    failing: int
    like: int
    spared: int
    apart: int


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The causes that together explain most of what ``failed``, the greatest first, and what they do not explain."""

    failed: tuple[Result, ...] = ()
    found: tuple[Found, ...] = ()
    unexplained: tuple[Result, ...] = ()


def diagnose(run: Run, causes: Sequence[Cause]) -> Diagnosis:
    """Those of ``causes`` that explain the failed cells, the one that explains most first.

    A cause is claimed only when nearly all cells of each of its ``breaks`` fail as it would have them, and nearly all
    of each of its ``spares`` pass: what the causes claimed before it explain is left out of both.
    """
    if not run.counts.get(Status.FAILED):
        return Diagnosis()
    where = place(run)
    judged = [one for one in run.results if one.status in (Status.PASSED, Status.FAILED)]
    evidence = _Evidence(judged, {one.id: features(one, where) for one in judged})
    return evidence.cover(causes)


@dataclass(frozen=True, slots=True)
class _Evidence:
    judged: Sequence[Result]
    features: Mapping[str, Features]

    def cover(self, causes: Sequence[Cause]) -> Diagnosis:
        failed = tuple(one for one in self.judged if one.status is Status.FAILED)
        chosen: list[Found] = []
        explained: frozenset[str] = frozenset()
        while len(explained) < len(failed):
            candidates = [found for cause in causes for found in self._instances(cause, explained)]
            if not candidates:
                break
            # The first of the file where two are as good as each other.
            best = min(candidates, key=lambda found: (-len(found.explained), found.like, found.only is not None))
            chosen.append(best)
            explained |= {one.id for one in best.explained}
        return Diagnosis(failed, tuple(chosen), tuple(one for one in failed if one.id not in explained))

    def _instances(self, cause: Cause, explained: frozenset[str]) -> Iterator[Found]:
        """The cause as far as it holds: everywhere, or for some values of a feature alone."""
        left = [one for one in self.judged if one.id not in explained]
        broken = [one for one in left if self._fits(cause.breaks, one)]
        if whole := self._found(cause, None, left, broken, ()):
            yield whole
            return
        for feature in cause.each:
            values = frozenset(v for one in broken for v in self._values(one, feature))
            where = frozenset(value for value in values if self._share(cause, broken, feature, value) >= SHARE)
            mine = [one for one in broken if where and self._values(one, feature) <= where]
            others = [one for one in broken if not self._values(one, feature) & where]
            if part := self._found(cause, (feature, tuple(sorted(where))), left, mine, (others,)):
                yield part

    def _share(self, cause: Cause, broken: Sequence[Result], feature: Feature, value: str) -> float:
        """How many of the cells that have this value alone fail as the cause would have it."""
        mine = [one for one in broken if self._values(one, feature) == {value}]
        return sum(self._fails(cause, one) for one in mine) / len(mine) if mine else 0.0

    def _found(
        self,
        cause: Cause,
        only: tuple[Feature, tuple[str, ...]] | None,
        left: Sequence[Result],
        broken: Sequence[Result],
        beside: Iterable[Sequence[Result]],
    ) -> Found | None:
        alike = [[one for one in broken if pattern.fits(self.features[one.id])] for pattern in cause.breaks]
        if any(not group or sum(self._fails(cause, one) for one in group) < SHARE * len(group) for group in alike):
            return None
        failing = [one for one in broken if self._fails(cause, one)]
        also = [one for one in left if self._fails(cause, one) and self._may(cause, one)]
        if only:
            also = [one for one in also if not (of := self._values(one, only[0])) or of & set(only[1])]
        explained = {one.id: one for one in (*failing, *also)}
        spares = [[one for one in left if pattern.fits(self.features[one.id])] for pattern in cause.spares]
        if only and only[0] in _ASUNDER:
            spares = [[one for one in group if self._values(one, only[0]) <= set(only[1])] for group in spares]
        groups = [[one for one in group if one.id not in explained] for group in (*spares, *beside)]
        if not groups:
            return None
        passed = [sum(one.status is Status.PASSED for one in group) for group in groups]
        if any(not good or good < SHARE * len(group) for good, group in zip(passed, groups, strict=True)):
            return None
        apart = {one.id: one.status is Status.PASSED for group in groups for one in group}
        values = tuple(explained.values())
        return Found(cause, only, values, len(failing), len(broken), sum(apart.values()), len(apart))

    def _may(self, cause: Cause, one: Result) -> bool:
        """Whether it is among the cells that the cause may break, and not among those that speak against it."""
        return self._fits(cause.also, one) and not self._fits(cause.spares, one)

    def _fits(self, patterns: Sequence[Pattern], one: Result) -> bool:
        return any(pattern.fits(self.features[one.id]) for pattern in patterns)

    def _values(self, one: Result, feature: Feature) -> frozenset[str]:
        return self.features[one.id].get(feature, frozenset())

    def _fails(self, cause: Cause, one: Result) -> bool:
        """Whether it fails in the way in which the cause would have it."""
        as_it_would = not cause.how or one.mismatch in cause.how
        return one.status is Status.FAILED and as_it_would and (not cause.seen or self._fits(cause.seen, one))
