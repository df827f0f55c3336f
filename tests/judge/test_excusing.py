"""Strict excuses: a failure is excused, an unneeded excuse fails the run, what was not judged stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from conformance.judge.conclusion import Conclusion, conclude
from conformance.judge.excusing import excused, expiry
from conformance.model.case import Level
from conformance.model.result import Account, Excuse, Result
from conformance.model.verdict import Mismatch, Status
from conformance.spec.known_issues import KnownIssue

LINK = "https://github.com/kubernetes/kubernetes/issues/139628"
ISSUE = KnownIssue(("CTK-04",), (1, 32, 0), LINK, "stale flows", date(2027, 6, 30))
ONE = Result("CTK-04.ipv4-udp", "CTK-04", "a", Level.MUST, "p", (), "s", "c", "d", "IPv4", "UDP", Status.PASSED)
FAILED = replace(
    ONE, status=Status.FAILED, mismatch=Mismatch.ANSWERED, message="5/5 answered", account=Account("a", "e", "o")
)


def test_a_failure_becomes_a_known_issue_that_names_link_summary_and_what_was_seen() -> None:
    said = excused(FAILED, ISSUE)
    assert said.status is Status.KNOWN_ISSUE
    assert said.message == f"known issue {LINK}: stale flows; 5/5 answered"
    assert (said.mismatch, said.account) == (Mismatch.ANSWERED, FAILED.account)
    assert said.issue == Excuse(LINK, "stale flows", "2027-06-30")
    assert conclude([said]) is Conclusion.CONFORMANT


def test_a_pass_that_is_excused_fails_the_run_and_says_what_to_do() -> None:
    said = excused(ONE, ISSUE)
    assert (said.status, said.mismatch) == (Status.FAILED, Mismatch.EXCUSE_OUTLIVED)
    assert said.message == f"passed although {LINK} excuses it (stale flows): remove the excuse, or narrow it"
    assert conclude([said]) is Conclusion.FAILED


def test_a_bug_that_is_met_only_sometimes_excuses_and_demands_nothing() -> None:
    chance = replace(ISSUE, sometimes=True)
    assert excused(FAILED, chance).status is Status.KNOWN_ISSUE
    assert excused(ONE, chance) == ONE


@pytest.mark.parametrize("status", [Status.RECORDED, Status.UNKNOWN, Status.NOT_APPLICABLE, Status.KNOWN_ISSUE])
def test_what_was_not_judged_stays(status: Status) -> None:
    one = replace(ONE, status=status, message="why")
    assert excused(one, ISSUE) == one


@pytest.mark.parametrize("one", [ONE, FAILED])
def test_without_an_issue_nothing_changes(one: Result) -> None:
    assert excused(one, None) == one


def test_an_expired_excuse_is_told_with_its_link_its_cases_and_its_day() -> None:
    assert expiry(ISSUE) == f"{LINK} excused CTK-04 until 2027-06-30: see whether it still must."
    several = replace(ISSUE, cases=("CTK-04", "CTK-05", "CTK-06"))
    assert expiry(several) == f"{LINK} excused CTK-04 and 2 more until 2027-06-30: see whether it still must."
