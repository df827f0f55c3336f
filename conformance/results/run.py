"""A run as its lines tell it, whole or truncated; whoever wrote them may have meant harm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from conformance.errors import UsageError
from conformance.judge.conclusion import Conclusion, conclude
from conformance.model.facts import Facts
from conformance.model.result import Result
from conformance.model.verdict import Status
from conformance.results.codec import Malformed, parse
from conformance.results.lines import SCHEMA, Evidence, Footer, Header, Learned, Line, Objects

_REMEDY = "Name a results.jsonl that `nftconform run` has written."


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a run: each cell once, by area and ID. ``footer`` None: the file is truncated."""

    header: Header
    facts: Facts
    results: tuple[Result, ...]
    objects: Mapping[str, Objects] = field(default_factory=dict)
    footer: Footer | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict)

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many cells of each status there are."""
        return Counter(one.status for one in self.results)

    @property
    def conclusion(self) -> Conclusion:
        """What the cells amount to; a truncated run, or one that came to fewer than it planned, is never conformant."""
        whole = self.footer is not None and self.footer.complete and self.missing <= 0
        return conclude(self.results, complete=whole)

    @property
    def missing(self) -> int:
        """How many cells the run never came to, as far as it says."""
        return self.footer.planned - len(self.results) if self.footer else 0

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong with the file itself, a sentence each."""
        if self.footer is None:
            return (f"The file is truncated: it has {len(self.results)} cells and no footer.",)
        said = {status: count for status, count in self.footer.counts.items() if count}
        wrong = []
        if said != self.counts:
            wrong.append("The footer counts other cells than there are.")
        if self.footer.conclusion is not self.conclusion or self.footer.exit_code != self.conclusion.value:
            wrong.append(
                f"The footer says {self.footer.conclusion.name.lower()}; "
                f"the cells come to {self.conclusion.name.lower()}."
            )
        return tuple(wrong)

    @property
    def lines(self) -> Iterable[Line]:
        """The run's lines, each cell once: what `read` makes the same run of."""
        yield self.header
        if self.facts != self.header.facts:
            yield Learned(self.facts)
        yield from self.objects.values()
        yield from self.evidence.values()
        yield from self.results
        if self.footer:
            yield self.footer


def gathered(lines: Iterable[Line], header: Header) -> Run:
    """The run of which these are the lines after its header; of what is said again the last word counts."""
    facts, footer = header.facts, None
    objects: dict[str, Objects] = {}
    evidence: dict[str, Evidence] = {}
    results: dict[str, Result] = {}
    for line in lines:
        match line:
            case Result():
                results[line.id] = line
            case Objects():
                objects[line.id] = line
            case Evidence():
                evidence[line.id] = line
            case Learned():
                facts = line.facts
            case Footer():
                footer = line
            case Header():
                pass
    ordered = sorted(results.values(), key=lambda one: (one.area, one.id))
    return Run(header, facts, tuple(ordered), objects, footer, evidence)


def read(texts: Iterable[str], name: str) -> Run:
    """The run that these lines, with their newlines, tell of; a last line that was cut short is none.

    Raises `UsageError` with one sentence when they are no results, or of a kit that knows more than this one.
    """
    header: Header | None = None
    lines: list[Line] = []
    for number, text in enumerate(texts, 1):
        try:
            line = parse(text)
        except Malformed as error:
            if not text.endswith("\n") and header:
                break
            raise UsageError(f"{name} holds no results: line {number}: {error}.", _REMEDY) from error
        if header is None:
            header = _first(line, name)
        elif isinstance(line, Header) or (lines and isinstance(lines[-1], Footer)):
            raise UsageError(f"{name} holds more than one run, or more than its footer ends: line {number}.", _REMEDY)
        elif line is not None:
            lines.append(line)
    if header is None:
        raise UsageError(f"{name} holds no results: it is empty.", _REMEDY)
    return gathered(lines, header)


def _first(line: Line | None, name: str) -> Header:
    if not isinstance(line, Header):
        raise UsageError(f"{name} holds no results: its first line is no header.", _REMEDY)
    if line.schema > SCHEMA:
        raise UsageError(
            f"{name} is of schema {line.schema}, written by nftconform {line.kit}; this kit reads {SCHEMA}.",
            "Install that version, or a newer one.",
        )
    return line
