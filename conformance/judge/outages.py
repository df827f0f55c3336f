"""What lanes of traffic met with while something was done to a cluster: how much was lost, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from conformance.judge.finding import longest_silence, tally
from conformance.model.observation import Dial, End

NOTICED = 0.5
"""Seconds that an answer of a flow may take before it counts as an outage: TCP sends a lost segment again after 0.2."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One lane: of ``asked`` questions ``lost`` had no answer, and ``seconds`` is its longest time without one.

    ``broken``: connections that ended, or flows that another endpoint answered than before. ``back``: whether all that
    was asked last was answered. ``seen`` tells how dials ended; ``trouble`` why the lane could not be asked, if so.
    """

    lane: str
    asked: int
    lost: int
    seconds: float
    back: bool
    seen: str
    broken: int = 0
    trouble: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing was noticed at all."""
        return not (self.lost or self.broken or self.seconds or self.trouble)


def of_new(lane: str, windows: Sequence[Sequence[Dial]], trouble: str = "") -> Outage:
    """New connections, in ``windows`` of dials one after the other."""
    dials = [dial for window in windows for dial in window]
    return Outage(
        lane,
        len(dials),
        _lost(dials),
        longest_silence(dials),
        bool(windows) and not _lost(windows[-1]),
        tally(dials),
        trouble=trouble,
    )


def of_flow(lane: str, windows: Sequence[Sequence[Dial]], trouble: str = "") -> Outage:
    """One connection, or UDP source port, that goes on through all ``windows``: opened anew where it broke."""
    dials = [dial for window in windows for dial in window]
    answered = [dial for dial in dials if dial.end is End.ANSWERED]
    moved = sum(later.endpoint != sooner.endpoint for sooner, later in pairwise(answered))
    slow = max((dial.took for dial in answered if dial.took >= NOTICED), default=0.0)
    return Outage(
        lane,
        len(dials),
        _lost(dials),
        max(slow, longest_silence(dials)),
        bool(windows) and not _lost(windows[-1]),
        tally(dials),
        broken=_lost(dials) + moved,
        trouble=trouble,
    )


def worst(outages: Iterable[Outage], most: float | None) -> list[Outage]:
    """Those that are not to be borne: not served at the end, or worse than ``most`` seconds where that is said.

    A flow that broke is worse than any number of seconds.
    """
    return [
        one
        for one in outages
        if not one.trouble and (not one.back or (most is not None and (one.seconds > most or one.broken)))
    ]


def _lost(dials: Iterable[Dial]) -> int:
    return sum(dial.end is not End.ANSWERED for dial in dials)
