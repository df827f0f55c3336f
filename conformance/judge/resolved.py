"""A DNS question and its answers."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.finding import Finding, tally
from conformance.model.observation import Dial, End
from conformance.model.outcome import Resolves
from conformance.model.verdict import Mismatch

NO_ANSWERS = frozenset({"NXDOMAIN", "NODATA"})


def records(detail: str) -> frozenset[str]:
    """The records in a dial's ``detail``, one a line; none for NXDOMAIN and NODATA."""
    lines = frozenset(line.strip() for line in detail.splitlines() if line.strip())
    return frozenset() if lines <= NO_ANSWERS else lines


def resolved(outcome: Resolves, dials: Sequence[Dial]) -> Finding:
    """Every dial brought exactly the promised records."""
    answers = [d for d in dials if d.end is End.ANSWERED]
    for dial in answers:
        got = records(dial.detail)
        if got != outcome.answers:
            promised = ", ".join(sorted(outcome.answers)) or "no record"
            said = ", ".join(sorted(got)) or "no record"
            return Finding(Mismatch.WRONG_NAME, f"the answer was {said}; promised was {promised}")
    if len(answers) < len(dials):
        mismatch = Mismatch.SOMETIMES_LOST if answers else Mismatch.NOT_REACHED
        return Finding(mismatch, tally(dials), silence=any(d.end is End.TIMEOUT for d in dials))
    return Finding()
