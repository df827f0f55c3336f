"""A verdict as a person reads it: the block of text that follows a failure."""

from __future__ import annotations

from collections.abc import Collection
from typing import assert_never

from conformance.judge.finding import longest_silence
from conformance.judge.gist import gist
from conformance.judge.reached import name_of
from conformance.judge.shown import demanded
from conformance.model.case.then import PRESENT, UNCHANGED
from conformance.model.field import field_name
from conformance.model.observation import Observation
from conformance.model.outcome import (
    Decides,
    Dropped,
    Faithful,
    NoRoute,
    Outcome,
    Pins,
    Quiet,
    Reaches,
    Refused,
    RefusedBy,
    Resolves,
    Shows,
    Tells,
    TooBig,
    Unanswered,
    Unspecified,
)
from conformance.model.printable import printable
from conformance.model.result import Account, Result
from conformance.model.verdict import Mismatch, Verdict

_LABEL = 10
_ROUNDS = 2.0
"""Seconds over which dials are spread that are made in rounds."""
_ANSWERED = {True: "ok", False: "did not answer", None: "not asked"}


def account(verdict: Verdict, client: str, destination: str, own: Collection[str] = ()) -> Account:
    """``verdict`` in words; ``client``, whose addresses are its ``own``, and ``destination`` say who asked what."""
    observation = verdict.observation
    gap = longest_silence(observation.decisive) if _in_rounds(observation) else 0.0
    return Account(
        asked=f"{client} -> {destination}, {_dials(observation)}",
        expected=expected(verdict.expectation.outcome),
        observed=f"{verdict.seen}; no answer for {gap:.1f} s" if gap else verdict.seen,
        reasons=verdict.expectation.reasons,
        before=observation.control_before,
        after=observation.control_after,
        due=gist(verdict.expectation.outcome, own),
    )


def explain(one: Result, options: str = "") -> str:
    """The cell's promise and account as one aligned block, without a final newline; nothing of a cell never asked.

    ``options`` are those that ask the same cluster again. Whatever came from a cluster is shown with its control
    characters escaped; a line stays a line.
    """
    if one.account is None:
        return ""
    head = "  ".join(w for w in (one.id, one.level.value, ", ".join(s.text for s in one.sources)) if w)
    again = f"nftconform run --case {one.id} {options}".rstrip()
    return block(head, one.account, said(one), one.divergence, promise=one.promise, evidence=one.evidence, again=again)


def said(one: Verdict | Result) -> str:
    """The verdict in a line, e.g. ``failed (answered) 5/5 answered by web-a``."""
    mismatch = "" if one.mismatch is Mismatch.NONE else f"({one.mismatch.value})"
    return " ".join(w for w in (one.status.value, mismatch, one.message) if w)


def block(
    head: str,
    told: Account,
    verdict: str,
    divergence: str = "",
    *,
    promise: str = "",
    evidence: str = "",
    again: str = "",
) -> str:
    """The same of any account, after the line ``head``; what is empty is left out."""
    rows = [
        ("promise", promise),
        ("asked", told.asked),
        ("expected", told.expected),
        ("observed", told.observed),
        ("verdict", verdict),
        *(("because" if i == 0 else "", f"{r.text}  [{r.source.text}]") for i, r in enumerate(told.reasons)),
        ("controls", f"before {_ANSWERED[told.before]}, after {_ANSWERED[told.after]}"),
        ("diverged", divergence),
        ("evidence", evidence),
        ("again", again),
    ]
    lines = [head, *(f"  {label:<{_LABEL}}{text}" for label, text in rows if text)]
    return "\n".join(printable(line) for line in lines)


def expected(outcome: Outcome) -> str:
    """An outcome in words."""
    match outcome:
        case Reaches(targets, sticky, movable, astray, promptly):
            names = sorted({_target(name_of(t), t.sources) for t in targets})
            how = "always the same one of: " if sticky and len(names) > 1 else ""
            text = "answered by " + how + "; ".join(names) + (" (in any proportion)" if movable else "")
            text += ", at the first attempt" if promptly else ""
            lost = ", ".join(sorted({name_of(t) for t in astray}))
            if not names:
                return f"answered by {lost}, or silence: its answers need not come back"
            return text + (f"; or silence, where {lost} was chosen" if lost else "")
        case Refused(RefusedBy.ICMP):
            return "refused by an ICMP port-unreachable message"
        case Refused(RefusedBy.RST):
            return "refused by a TCP reset"
        case Refused():
            return "refused"
        case Dropped():
            return "dropped: silence"
        case NoRoute():
            return "no route"
        case Unanswered():
            return "no answer, in whatever way"
        case TooBig(mtu):
            return f"told by ICMP that the path has an MTU of {mtu}"
        case Resolves(answers):
            return "resolved to " + (", ".join(sorted(answers)) or "no record")
        case Pins(targets, forgets, kept):
            pods = ", ".join(sorted(name_of(t) for t in targets))
            apart = "in one round always the same one of" if forgets else "always the same one of"
            moved = ", and some port by another in another round" if forgets else ""
            before = f"; {len(kept)} ports by the one that answered them before" if kept else ""
            return f"each port answered by {apart}: {pods}{moved}{before}"
        case Tells(status, local_endpoints, body, service):
            count = "" if local_endpoints is None else f", {local_endpoints} local endpoints"
            whole = f", of {service}, whose proxy is healthy, nosniff" if service else ""
            return f"HTTP status {status}{count}{whole}" + (f", {body!r}" if body else "")
        case Quiet():
            return "no such packet on the wire"
        case Faithful():
            return "the rules do what the API's objects ask for, and nothing else"
        case Shows(demands):
            return "on every node " + ", ".join(map(demanded, demands))
        case Decides(field, holds, status):
            if status:
                return f"refused ({status})" + (f", naming {field}" if field else "")
            return "accepted" + (", with " if holds else "") + ", ".join(_holding(*each) for each in holds)
        case Unspecified(reason):
            return f"left open: {reason}"
        case other:
            assert_never(other)


def _holding(path: str, value: object) -> str:
    name = field_name(path)
    if value in (None, PRESENT):
        return f"{'no ' if value is None else ''}{name}"
    return f"{name} as before" if value == UNCHANGED else f"{name} = {value}"


def _target(name: str, sources: frozenset[str]) -> str:
    return name + (f", which sees {' or '.join(sorted(sources))}" if sources else "")


def _in_rounds(observation: Observation) -> bool:
    """Whether it was dialled over some time, and not at once."""
    begun = [dial.at for dial in observation.decisive]
    return bool(begun) and max(begun) - min(begun) >= _ROUNDS


def _dials(observation: Observation) -> str:
    again = f", again alone {len(observation.again)}" if observation.again else ""
    return f"{len(observation.dials)} dials{again}"
