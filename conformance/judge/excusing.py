"""What a known issue makes of a result: a failure is excused, and a pass that should have failed is none."""

from __future__ import annotations

from dataclasses import replace

from conformance.model.result import Excuse, Result
from conformance.model.verdict import Mismatch, Status
from conformance.spec.known_issues import KnownIssue


def excused(result: Result, issue: KnownIssue | None) -> Result:
    """``result`` in the light of the issue that excuses its cell, if any.

    A failure becomes a known issue; a pass fails, because an excuse that is not needed would hide the next failure.
    What was not judged stays as it is, and so does a pass where chance decides whether the bug is met.
    """
    if issue is None:
        return result
    looked_at = Excuse(issue.link, issue.summary, issue.expires.isoformat())
    if result.status is Status.FAILED:
        observed = f"; {result.message}" if result.message else ""
        message = f"known issue {issue.link}: {issue.summary}{observed}"
        return replace(result, status=Status.KNOWN_ISSUE, message=message, issue=looked_at)
    if result.status is Status.PASSED and not issue.sometimes:
        message = f"passed although {issue.link} excuses it ({issue.summary}): remove the excuse, or narrow it"
        mismatch = Mismatch.EXCUSE_OUTLIVED
        return replace(result, status=Status.FAILED, mismatch=mismatch, message=message, issue=looked_at)
    return result


def expiry(issue: KnownIssue) -> str:
    """The sentence that a run says of an excuse that counts no more."""
    first, *others = issue.cases
    named = f"{first} and {len(others)} more" if others else first
    return f"{issue.link} excused {named} until {issue.expires}: see whether it still must."
