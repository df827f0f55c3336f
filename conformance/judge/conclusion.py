"""What a whole run amounts to, and the exit code that says so."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from conformance.model.case import Level
from conformance.model.result import Result
from conformance.model.verdict import Status


class Conclusion(Enum):
    """The value is the exit code of ``nftconform run``; 3 is left for usage and environment."""

    CONFORMANT = 0
    FAILED = 1
    PARTIAL = 2


def conclude(results: Collection[Result], *, complete: bool = True) -> Conclusion:
    """Failed if anything failed; partial if a cell could not be asked or a MUST does not apply here; else conformant.

    ``complete`` is False for an interrupted run. A run in which nothing was judged is partial: it shows nothing.
    """
    statuses = {r.status for r in results}
    if Status.FAILED in statuses:
        return Conclusion.FAILED
    unmet = any(r.status is Status.NOT_APPLICABLE and r.level is Level.MUST for r in results)
    asked = statuses & {Status.PASSED, Status.KNOWN_ISSUE}
    if Status.UNKNOWN in statuses or unmet or not complete or not asked:
        return Conclusion.PARTIAL
    return Conclusion.CONFORMANT
