"""Expectation and observation of one cell, compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from conformance.judge.finding import Finding, tally
from conformance.judge.pinned import pinned
from conformance.judge.reached import reached
from conformance.judge.resolved import resolved
from conformance.judge.shown import shown
from conformance.judge.told import decided, faithful, quiet, told
from conformance.judge.unanswered import dropped, no_route, refused, too_big, unanswered
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import (
    Decides,
    Dropped,
    Expectation,
    Faithful,
    NoRoute,
    Outcome,
    Pins,
    Quiet,
    Reaches,
    Refused,
    Resolves,
    Shows,
    Tells,
    TooBig,
    Unanswered,
    Unspecified,
)
from conformance.model.verdict import Mismatch, Status, Verdict


def judge(expectation: Expectation, observation: Observation) -> Verdict:
    """The verdict on one cell; pure and total.

    FAILED names the promise that was broken. UNKNOWN is said when the cell could not be asked: trouble on the way to
    the client, dials that could not be made, or silence (promised or not) without a control that answered just before
    and just after. RECORDED is a cell that the API leaves open.
    """

    outcome, dials = expectation.outcome, [_heard(d) if d.end is End.ERROR else d for d in observation.decisive]
    seen = tally(observation.decisive)

    def verdict(status: Status, message: str, mismatch: Mismatch = Mismatch.NONE) -> Verdict:
        return Verdict(status, expectation, observation, mismatch, message, seen)

    if isinstance(outcome, Unspecified):
        return verdict(Status.RECORDED, f"recorded, not judged: {outcome.reason}")
    if observation.trouble:
        return verdict(Status.UNKNOWN, observation.trouble)
    made = [d for d in dials if d.end is not End.ERROR]
    if not made:
        return verdict(Status.UNKNOWN, tally(dials))
    if isinstance(outcome, Refused | Dropped) and _never_left(made):
        return verdict(Status.UNKNOWN, "the client's own kernel had no route, so nothing was asked")
    finding = _find(outcome, made)
    if finding.silence and not (observation.control_before and observation.control_after):
        return verdict(Status.UNKNOWN, f"silence without a good control: {_controls(observation)}; {tally(made)}")
    if finding.mismatch is not Mismatch.NONE:
        return verdict(Status.FAILED, finding.message, finding.mismatch)
    if len(made) < len(dials):
        return verdict(Status.UNKNOWN, tally(dials))
    blocked = any(d.end is End.ERROR for d in observation.decisive)
    return verdict(Status.PASSED, tally(dials) if blocked else seen)


def _heard(dial: Dial) -> Dial:
    """Of one that could not be made: what the client's own packet filter stopped (EPERM from sendmsg: a drop in the
    output hook) was silent.
    """
    return replace(dial, end=End.TIMEOUT) if "EPERM" in dial.detail else dial


def _never_left(dials: Sequence[Dial]) -> bool:
    return all(d.end is End.NO_ROUTE for d in dials)


def _find(outcome: Outcome, dials: Sequence[Dial]) -> Finding:
    match outcome:
        case Reaches():
            return reached(outcome, dials)
        case Refused(by):
            return refused(by, dials)
        case Dropped():
            return dropped(dials)
        case NoRoute():
            return no_route(dials)
        case Unanswered():
            return unanswered(dials)
        case TooBig():
            return too_big(outcome, dials)
        case Resolves():
            return resolved(outcome, dials)
        case Pins():
            return pinned(outcome, dials)
        case Tells():
            return told(outcome, dials)
        case Quiet():
            return quiet(dials)
        case Faithful():
            return faithful(dials)
        case Shows():
            return shown(outcome, dials)
        case Decides():
            return decided(outcome, dials)
        case Unspecified():
            return Finding()
        case other:
            assert_never(other)


def _controls(observation: Observation) -> str:
    words = {True: "ok", False: "did not answer", None: "not asked"}
    return f"before {words[observation.control_before]}, after {words[observation.control_after]}"
