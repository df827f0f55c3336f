"""Errors about a packet's size, answers to other questions, and what took a second attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.judge import judge
from conformance.model.observation import Dial, End, IcmpError, Observation
from conformance.model.outcome import Expectation, Outcome, Reaches, Target, TooBig
from conformance.model.verdict import Mismatch, Status

WEB = Target("10.244.1.11", 8080, frozenset({"10.244.2.21"}), "web-a")
ANSWER = Dial(End.ANSWERED, endpoint="web-a", source="10.244.2.21")
TOLD = Dial(End.ICMP, icmp=IcmpError(3, 4, "10.96.0.1", 1300))
SILENT = Dial(End.TIMEOUT)


def asked(outcome: Outcome, *dials: Dial, controls: bool = True) -> tuple[Status, Mismatch]:
    verdict = judge(Expectation(outcome, ()), Observation(dials, (), controls, controls))
    return verdict.status, verdict.mismatch


def test_once_told_is_told() -> None:
    assert asked(TooBig(1300), TOLD, SILENT, SILENT) == (Status.PASSED, Mismatch.NONE)


@pytest.mark.parametrize(
    ("dials", "mismatch"),
    [
        ((SILENT, SILENT), Mismatch.NOT_TOLD),
        ((TOLD, ANSWER), Mismatch.ANSWERED),
        ((replace(TOLD, icmp=IcmpError(3, 4, "10.96.0.1", 1500)),), Mismatch.WRONG_REFUSAL),
        ((replace(TOLD, icmp=IcmpError(3, 3, "10.96.0.1")),), Mismatch.WRONG_REFUSAL),
    ],
)
def test_anything_else_is_not(dials: tuple[Dial, ...], mismatch: Mismatch) -> None:
    assert asked(TooBig(1300), *dials) == (Status.FAILED, mismatch)


def test_silence_without_a_good_control_tells_nothing() -> None:
    assert asked(TooBig(1300), SILENT, controls=False)[0] is Status.UNKNOWN


def test_a_second_attempt_breaks_only_what_promises_the_first() -> None:
    reaches, late = Reaches(frozenset({WEB})), replace(ANSWER, retransmits=1, took=1.02)
    assert asked(reaches, ANSWER, late) == (Status.PASSED, Mismatch.NONE)
    promptly = replace(reaches, promptly=True)
    assert asked(promptly, ANSWER, ANSWER) == (Status.PASSED, Mismatch.NONE)
    assert asked(promptly, ANSWER, late) == (Status.FAILED, Mismatch.RETRANSMITTED)


def test_an_answer_to_something_else_is_corrupted() -> None:
    garbled = Dial(End.GARBLED, endpoint="web-a")
    assert asked(Reaches(frozenset({WEB})), ANSWER, garbled) == (Status.FAILED, Mismatch.CORRUPTED)
