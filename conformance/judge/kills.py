"""What a fault's trial proves: which cases caught it for the reason they claim, and which did not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from conformance.model.verdict import Mismatch, Status
from conformance.spec.faults import DAMAGE, Fault


@dataclass(frozen=True, slots=True)
class Told:
    """What a run said of one cell."""

    cell: str
    case: str
    status: Status
    mismatch: Mismatch

    @property
    def failed(self) -> bool:
        """Whether the promise was broken; where a case is only to be reported, that is recorded and fails nobody."""
        recorded = self.status is Status.RECORDED and self.mismatch is not Mismatch.NONE
        return self.status is Status.FAILED or recorded


class Finding(Enum):
    """How a case did that claims a fault which was on."""

    CAUGHT = "caught"
    WRONG_REASON = "failed for another reason"
    MISSED = "passed"
    NOT_ASKED = "could not be asked"


@dataclass(frozen=True, slots=True)
class Kill:
    """A fault's row of the kill matrix; ``mismatches`` are those by which its catchers failed.

    ``trouble`` says why there is no more to tell, when the trial itself went wrong.
    """

    fault: Fault
    findings: Mapping[str, Finding]
    mismatches: tuple[Mismatch, ...] = ()
    matrix_failed: int = 0
    matrix_asked: int = 0
    seconds: float = 0.0
    trouble: str = ""

    @property
    def proven(self) -> bool:
        """The fault is caught, and by every case that claims to."""
        return not self.trouble and bool(self.findings) and not self.missed

    @property
    def caught(self) -> tuple[str, ...]:
        """The cases that did as they claim."""
        return tuple(case for case, finding in self.findings.items() if finding is Finding.CAUGHT)

    @property
    def missed(self) -> Mapping[str, Finding]:
        """The cases that did not, and how."""
        return {case: finding for case, finding in self.findings.items() if finding is not Finding.CAUGHT}


def kill(fault: Fault, claiming: Iterable[str], told: Iterable[Told], seconds: float) -> Kill:
    """The row of ``fault``; ``told`` is everything that was asked while it was on, the matrices' cells included."""
    betraying = DAMAGE[fault].shows
    by_case: dict[str, list[Told]] = {case: [] for case in claiming}
    rest = list[Told]()
    for one in told:
        by_case.get(one.case, rest).append(one)
    asked = [one for one in rest if one.status in (Status.PASSED, Status.FAILED)]
    seen = {one.mismatch for ones in by_case.values() for one in ones if one.failed}
    return Kill(
        fault,
        {case: _finding(ones, betraying) for case, ones in by_case.items()},
        tuple(mismatch for mismatch in Mismatch if mismatch in seen & set(betraying)),
        sum(one.failed for one in asked),
        len(asked),
        seconds,
    )


def _finding(told: list[Told], betraying: tuple[Mismatch, ...]) -> Finding:
    failed = [one for one in told if one.failed]
    if any(one.mismatch in betraying for one in failed):
        return Finding.CAUGHT
    if failed:
        return Finding.WRONG_REASON
    return Finding.MISSED if any(one.status is Status.PASSED for one in told) else Finding.NOT_ASKED
