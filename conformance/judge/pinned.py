"""Session affinity port by port: who kept to one endpoint, and who let go in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from conformance.judge.finding import Finding, tally
from conformance.judge.reached import name_of
from conformance.model.observation import Dial, End
from conformance.model.outcome import Pins
from conformance.model.sampling import MISS
from conformance.model.verdict import Mismatch

ROUND = 1.0
"""Dials of one port that begin within so many seconds of each other belong to one round."""


def pinned(outcome: Pins, dials: Sequence[Dial]) -> Finding:
    """Every port keeps to one endpoint within a round, and over all of them unless its pin is promised to expire.

    A port whose client was tied before is answered by nobody else; where all were, ``targets`` are no more than those
    that they were tied to, so that another one is no stranger.
    """
    answers = [d for d in dials if d.end is End.ANSWERED]
    allowed = {name_of(t) for t in outcome.targets}
    kept = {port: {name_of(t) for t in before} for port, before in outcome.kept}
    strangers = sorted({d.endpoint for d in answers} - allowed)
    if strangers and not {d.port for d in dials} <= kept.keys():
        return Finding(
            Mismatch.WRONG_ENDPOINT, f"{', '.join(strangers)} answered; only {', '.join(sorted(allowed))} may"
        )
    if len(answers) < len(dials):
        mismatch = Mismatch.SOMETIMES_LOST if answers else Mismatch.NOT_REACHED
        return Finding(mismatch, tally(dials), silence=any(d.end is End.TIMEOUT for d in dials))
    ports = _rounds(answers)
    for port, rounds in sorted(ports.items()):
        groups = [{*one} for one in rounds] if outcome.forgets else [{name for one in rounds for name in one}]
        if any(len(names) > 1 for names in groups):
            return Finding(Mismatch.NOT_STICKY, f"port {port}: one client was sent to {_shown(rounds)}")
    for port, before in sorted(kept.items()):
        rounds = ports.get(port, [])
        if not {name for one in rounds for name in one} <= before:
            tied = "/".join(sorted(before))
            return Finding(
                Mismatch.NOT_STICKY, f"port {port}: one client was tied to {tied}, now sent to {_shown(rounds)}"
            )
    # The first choice of each other port is free: that all chose the same one is as unlikely as that none moved.
    firsts = [rounds[0][0] for port, rounds in ports.items() if port not in kept]
    if len(set(firsts)) == 1 and float(len(allowed)) ** (1 - len(firsts)) <= MISS:
        return Finding(Mismatch.ENDPOINT_NEVER_CHOSEN, f"all {len(firsts)} ports chose {firsts[0]}")
    moved = sum(len({name for one in rounds for name in one}) > 1 for rounds in ports.values())
    choices = sum(len(rounds) - 1 for rounds in ports.values())
    if outcome.forgets and not moved and len(allowed) ** -float(choices) <= MISS:
        return Finding(Mismatch.NEVER_FORGOTTEN, f"none of {len(ports)} ports moved after its pin should have expired")
    return Finding()


def _rounds(answers: Sequence[Dial]) -> dict[int, list[list[str]]]:
    """By port: the endpoints that answered, round by round."""
    found: dict[int, list[list[str]]] = defaultdict(list)
    last: dict[int, float] = {}
    for dial in sorted(answers, key=lambda d: d.at):
        if dial.port not in last or dial.at - last[dial.port] > ROUND:
            found[dial.port].append([])
        found[dial.port][-1].append(dial.endpoint)
        last[dial.port] = dial.at
    return found


def _shown(rounds: list[list[str]]) -> str:
    return ", then ".join("/".join(sorted(set(one))) for one in rounds)
