"""The kill matrix: for a terminal as it grows, and to be kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from conformance.judge.kills import Finding, Kill
from conformance.model.verdict import Mismatch
from conformance.spec.faults import Fault


@dataclass(frozen=True, slots=True)
class Record:
    """A kill matrix that was kept: ``kills`` by fault, from the selftest of ``date`` with ``seed``."""

    date: str
    seed: int
    kills: Mapping[Fault, Kill]


def line(kill: Kill) -> Text:
    """One fault's row, in one line and one more for each claim that does not hold."""
    claimed, matrix = len(kill.findings), f"{kill.matrix_failed}/{kill.matrix_asked} matrix cells"
    state = ("caught", "green") if kill.proven else ("SURVIVES" if not kill.caught else "not by all", "red")
    text = Text.assemble((f"{state[0]:<11}", state[1]), kill.fault.word)
    text.append(f"  {len(kill.caught)} of {claimed} cases, {matrix}, {kill.seconds:.0f} s", "dim")
    if kill.trouble:
        text.append(f"\n            {kill.trouble}", "red")
    else:
        for case, finding in kill.missed.items():
            text.append(f"\n            {case} {finding.value}", "red")
    return text


def summary(kills: Sequence[Kill]) -> str:
    """The totals, in a sentence or two."""
    claims = sum(len(k.findings) for k in kills)
    held = sum(len(k.caught) for k in kills)
    alone = sum(k.matrix_failed > 0 for k in kills)
    caught = sum(bool(k.caught) for k in kills)
    return (
        f"{caught} of {len(kills)} faults caught; {held} of {claims} claims hold. "
        f"The sample of the matrices alone catches {alone} faults."
    )


def kept(kills: Iterable[Kill], date: str, seed: int) -> str:
    """The kill matrix as JSON, sorted, one fault a line."""
    rows = [json.dumps({kill.fault.word: _plain(kill)})[1:-1] for kill in sorted(kills, key=lambda k: k.fault.name)]
    head = f'"date": {json.dumps(date)},\n"seed": {seed},\n"faults": {{\n'
    return "{\n" + head + ",\n".join(rows) + "\n}\n}\n"


def read(text: str) -> Record:
    """The inverse of `kept`; ``ValueError`` or ``KeyError`` for what is none, or names faults that are no more."""
    plain = json.loads(text)
    words = {fault.word: fault for fault in Fault}
    kills = {words[word]: _kill(words[word], row) for word, row in plain["faults"].items()}
    return Record(plain["date"], plain["seed"], kills)


def _plain(kill: Kill) -> dict[str, Any]:
    return {
        "findings": {case: finding.name.lower() for case, finding in kill.findings.items()},
        "mismatches": [mismatch.value for mismatch in kill.mismatches],
        "matrix": [kill.matrix_failed, kill.matrix_asked],
        "trouble": kill.trouble,
    }


def _kill(fault: Fault, row: Mapping[str, Any]) -> Kill:
    findings = {case: Finding[name.upper()] for case, name in row["findings"].items()}
    mismatches = tuple(Mismatch(value) for value in row["mismatches"])
    failed, asked = row["matrix"]
    return Kill(fault, findings, mismatches, failed, asked, trouble=row["trouble"])
