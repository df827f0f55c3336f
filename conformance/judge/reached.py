"""An answer was promised: by whom, how evenly, with which source address seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from conformance.judge.finding import Finding, tally
from conformance.judge.statistics import skewed, unseen_bound
from conformance.model.observation import Dial, End
from conformance.model.outcome import Reaches, Target
from conformance.model.sampling import MISS
from conformance.model.verdict import Mismatch


def name_of(target: Target) -> str:
    """The name that the endpoint answers with: its pod's, or its address where no pod is known."""
    return target.pod or target.address


def reached(outcome: Reaches, dials: Sequence[Dial]) -> Finding:
    """What is wrong with ``dials``, the worst first: who answered, whether all did, who was seen, how it was shared."""
    answers = [d for d in dials if d.end is End.ANSWERED]
    allowed = {name_of(t) for t in (*outcome.targets, *outcome.astray)}
    strangers = sorted({d.endpoint for d in answers} - allowed)
    if strangers:
        names = f"{', '.join(strangers)} answered; only {', '.join(sorted(allowed))} may"
        return Finding(Mismatch.WRONG_ENDPOINT, names)
    if outcome.astray:
        return _astray(outcome, answers, dials)
    if len(answers) < len(dials):
        if any(d.end is End.GARBLED for d in dials):
            return Finding(Mismatch.CORRUPTED, tally(dials))
        silent = any(d.end is End.TIMEOUT for d in dials)
        mismatch = Mismatch.SOMETIMES_LOST if answers else Mismatch.NOT_REACHED
        return Finding(mismatch, tally(dials), silence=silent)
    return _source(outcome, answers) or _share(outcome, answers) or _lost(outcome, answers) or Finding()


def _astray(outcome: Reaches, answers: Sequence[Dial], dials: Sequence[Dial]) -> Finding:
    """Silence is fine where the chosen endpoint's answer may go astray; a refusal is not, nor silence for ever."""
    if any(d.end not in {End.ANSWERED, End.TIMEOUT} for d in dials):
        return Finding(Mismatch.SOMETIMES_LOST if answers else Mismatch.NOT_REACHED, tally(dials))
    if outcome.sticky and answers and len(answers) < len(dials):
        return Finding(Mismatch.NOT_STICKY, f"one client was sent to several endpoints: {tally(dials)}", silence=True)
    share = len(outcome.astray) / (len(outcome.targets) + len(outcome.astray))
    if not answers and not outcome.sticky and not outcome.movable and share ** len(dials) <= MISS:
        return Finding(Mismatch.NOT_REACHED, tally(dials), silence=True)
    return _source(outcome, answers) or Finding(silence=len(answers) < len(dials))


def _source(outcome: Reaches, answers: Sequence[Dial]) -> Finding | None:
    for name in sorted({name_of(t) for t in outcome.targets}):
        twins = [t.sources for t in outcome.targets if name_of(t) == name]
        allowed = frozenset().union(*twins) if all(twins) else frozenset()
        seen = {d.source for d in answers if d.endpoint == name and d.source}
        if allowed and seen - allowed:
            wrong, right = ", ".join(sorted(seen - allowed)), ", ".join(sorted(allowed))
            return Finding(Mismatch.WRONG_SOURCE, f"{name} saw the client as {wrong}; promised was {right}")
    return _mapping(outcome, answers)


def _lost(outcome: Reaches, answers: Sequence[Dial]) -> Finding | None:
    again = [d for d in answers if d.retransmits]
    if not outcome.promptly or not again:
        return None
    slowest = max(d.took for d in again)
    text = (
        f"{len(again)} of {len(answers)} connections took more than one attempt of a packet, and up to {slowest:.1f} s"
    )
    return Finding(Mismatch.RETRANSMITTED, text)


def _mapping(outcome: Reaches, answers: Sequence[Dial]) -> Finding | None:
    """A flow that goes on is translated as it was: to another source port only if it was forgotten meanwhile."""
    promised = {name_of(t): t.source_port for t in outcome.targets if t.source_port}
    for dial in answers:
        port = promised.get(dial.endpoint)
        if port and dial.source_port != port:
            text = f"{dial.endpoint} saw the flow with source port {dial.source_port}; before it was {port}"
            return Finding(Mismatch.WRONG_SOURCE, text)
    return None


def _share(outcome: Reaches, answers: Sequence[Dial]) -> Finding | None:
    if not outcome.sticky and not outcome.every:
        return None
    counts = Counter(d.endpoint for d in answers)
    if outcome.sticky and len(counts) > 1:
        shares = ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
        return Finding(Mismatch.NOT_STICKY, f"one client was sent to several endpoints: {shares}")
    if not outcome.every:
        return None
    names = Counter(name_of(t) for t in outcome.targets)
    weights = {name: n / len(outcome.targets) for name, n in names.items()}
    unseen = sorted(set(weights) - set(counts))
    total = len(answers)
    if unseen and unseen_bound(weights, total) <= MISS:
        return Finding(Mismatch.ENDPOINT_NEVER_CHOSEN, f"{', '.join(unseen)} never answered in {total} dials")
    odd = skewed(counts, weights)
    if odd is not None:
        text = f"{odd} answered {counts[odd]} of {total} dials; its share is {weights[odd]:.0%}"
        return Finding(Mismatch.SKEWED, text)
    return None
