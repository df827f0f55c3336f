"""What a run amounts to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.judge.conclusion import Conclusion, conclude
from conformance.model.case import Level
from conformance.model.result import Result
from conformance.model.verdict import Status

_ONE = Result("i", "c", "a", Level.MUST, "p", (), "s", "c", "d", "IPv4", "TCP", Status.PASSED)


def results(*statuses: Status, level: Level = Level.MUST) -> list[Result]:
    return [replace(_ONE, status=s, level=level) for s in statuses]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((Status.PASSED,), Conclusion.CONFORMANT),
        ((Status.PASSED, Status.RECORDED, Status.KNOWN_ISSUE), Conclusion.CONFORMANT),
        ((Status.PASSED, Status.UNKNOWN), Conclusion.PARTIAL),
        ((Status.PASSED, Status.NOT_APPLICABLE), Conclusion.PARTIAL),
        ((Status.UNKNOWN, Status.FAILED), Conclusion.FAILED),
        ((Status.NOT_APPLICABLE,), Conclusion.PARTIAL),
        ((Status.RECORDED,), Conclusion.PARTIAL),
        ((), Conclusion.PARTIAL),
    ],
)
def test_conclusions(statuses: tuple[Status, ...], expected: Conclusion) -> None:
    assert conclude(results(*statuses)) is expected


def test_a_promise_below_must_may_be_left_out() -> None:
    asked = results(Status.PASSED) + results(Status.NOT_APPLICABLE, level=Level.SHOULD)
    assert conclude(asked) is Conclusion.CONFORMANT


def test_an_interrupted_run_is_never_conformant_but_a_failure_stands() -> None:
    assert conclude(results(Status.PASSED), complete=False) is Conclusion.PARTIAL
    assert conclude(results(Status.FAILED), complete=False) is Conclusion.FAILED
