"""What a pod network is known to break, compared with what a run shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.compatibility.verdict import Standing, Verdict, Word


@dataclass(frozen=True, slots=True)
class Foretold:
    """What is said of a network: whether Services work in it, which cases it breaks, and the causes' names.

    ``perhaps`` are cases that it breaks or not by chance: to which endpoint affinity ties a client, which of a router's
    ICMP errors the kernel's rate limit lets out.
    """

    compatible: bool
    fails: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


def surprises(one: Verdict, said: Foretold) -> Iterator[str]:
    """What the run shows otherwise, a sentence each; of promises that it did not judge nothing is foretold."""
    if (one.word is Word.INCOMPATIBLE) is said.compatible:
        yield f"It was said to be {'' if said.compatible else 'in'}compatible, and is {one.word.value}."
    judged = (Standing.HELD, Standing.BROKEN)
    standing = {p.case: p.standing for members in one.promises.values() for p in members if p.standing in judged}
    broken = {case for case, found in standing.items() if found is Standing.BROKEN}
    foretold = set(said.fails)
    if more := sorted(broken - foretold - set(said.perhaps)):
        yield f"Also broken: {', '.join(more)}."
    if fewer := sorted((foretold & standing.keys()) - broken):
        yield f"Not broken: {', '.join(fewer)}."
    named = {found.cause.id for found in one.diagnosis.found}
    if broken and named != set(said.causes):
        yield f"The causes were said to be {_listed(set(said.causes))}, and are {_listed(named)}."


def _listed(names: set[str]) -> str:
    return " and ".join(sorted(names)) or "none"
