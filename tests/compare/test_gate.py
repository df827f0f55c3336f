"""What blocks, by whose policy, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.compare.changes import Kind, compare
from conformance.compare.gate import Acceptance, Policy, Ruling, read, rule
from conformance.errors import UsageError
from conformance.model.case import Level
from conformance.model.verdict import Status
from conformance.results.run import Run
from conformance.spec.mode_differences import table
from tests.reports.runs import HEADER, a_result, a_run

DAY = date(2026, 12, 1)
POLICY = """
levels = ["MUST"]
block = ["newly-failing", "documented"]

[[accept]]
cells = ["NP-01", "ETPM.*.nodePort-b"]
reason = "the registry moves in spring"
until = 2027-03-31

[[accept]]
difference = "nodeport-localhost"
reason = "nobody uses it"
until = 2027-06-30
"""


def ruled(before: Status, after: Status, policy: Policy, level: Level = Level.MUST) -> Ruling:
    old, new = (replace(a_result(1, status), level=level) for status in (before, after))
    return rule(compare(a_run([old]), a_run([new]), table()), policy, DAY)


def test_the_default_blocks_new_failures_of_promises() -> None:
    assert not ruled(Status.PASSED, Status.FAILED, Policy()).passes
    assert not ruled(Status.PASSED, Status.UNKNOWN, Policy()).passes
    assert not ruled(Status.PASSED, Status.KNOWN_ISSUE, Policy()).passes
    assert ruled(Status.PASSED, Status.FAILED, Policy(), Level.CHECK).passes
    assert ruled(Status.FAILED, Status.FAILED, Policy()).passes
    assert ruled(Status.FAILED, Status.PASSED, Policy()).passes
    assert not ruled(Status.FAILED, Status.FAILED, Policy(block=(Kind.STILL_FAILING,))).passes


def test_an_acceptance_holds_through_its_last_day_and_then_blocks() -> None:
    accepted = Acceptance("for now", DAY, ("NP-01",))
    ruling = ruled(Status.PASSED, Status.FAILED, Policy(accepted=(accepted,)))
    assert (ruling.passes, ruling.accepted, ruling.expired, ruling.unused) == (True, 1, (), ())
    over = replace(accepted, until=date(2026, 11, 30))
    ruling = ruled(Status.PASSED, Status.FAILED, Policy(accepted=(over,)))
    assert (ruling.passes, ruling.expired) == (False, (over,))
    ruling = ruled(Status.FAILED, Status.FAILED, Policy(accepted=(over,)))
    assert not ruling.passes, "what was accepted once blocks when that has run out, of whatever kind it is"


def test_an_acceptance_of_nothing_is_told() -> None:
    other = Acceptance("for now", DAY, ("NP-02",))
    assert ruled(Status.PASSED, Status.FAILED, Policy(accepted=(other,))).unused == (other,)


def test_a_truncated_run_never_passes() -> None:
    run = a_run([a_result(1, Status.PASSED)])
    ruling = rule(compare(run, Run(HEADER, HEADER.facts, run.results), table()), Policy(block=()), DAY)
    assert not ruling.passes
    assert "truncated" in ruling.troubles[0]


def test_a_policy_is_read() -> None:
    policy = read(POLICY, "p", ["nodeport-localhost"])
    assert policy == Policy(
        (Level.MUST,),
        (Kind.NEWLY_FAILING, Kind.DOCUMENTED),
        (
            Acceptance("the registry moves in spring", date(2027, 3, 31), ("NP-01", "ETPM.*.nodePort-b")),
            Acceptance("nobody uses it", date(2027, 6, 30), difference="nodeport-localhost"),
        ),
    )
    assert read("", "p", []) == Policy()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("levels =", "is no TOML"),
        ("level = []", "says level, which means nothing"),
        ('levels = ["must"]', r"levels = \['must'\], which is not a list of MUST, SHOULD, CHECK"),
        ('block = "changed"', "block = 'changed', which is not a list of newly-failing"),
        ("accept = 1", "accept that is no"),
        ('[[accept]]\ncells = ["A"]\nuntil = 2027-01-01', "accept 1 has no reason"),
        ('[[accept]]\ncells = ["A"]\nreason = "r"', "accept 1 has no until"),
        ('[[accept]]\ncells = ["A"]\nreason = "r"\nuntil = "2027-01-01"', "accept 1 has no until"),
        ('[[accept]]\nreason = "r"\nuntil = 2027-01-01', "either cells or a difference"),
        ('[[accept]]\ncells = "A"\nreason = "r"\nuntil = 2027-01-01', "cells = 'A'"),
        ('[[accept]]\ndifference = "x"\nreason = "r"\nuntil = 2027-01-01', "difference = 'x', which is none of d"),
        ('[[accept]]\nwhy = "x"', "accept 1 says why"),
    ],
)
def test_a_policy_that_makes_no_sense_gets_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        read(text, "p", ["d"])


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        read(text, "p", [])
    except UsageError as error:
        assert error.cause.startswith("p")
