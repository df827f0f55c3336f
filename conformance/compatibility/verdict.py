"""One run as a verdict on a network plugin: promises by area, the probable cause, what is known of the plugin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from conformance.certify.catalogue import Catalogue, Entry, fingerprint
from conformance.certify.certifying import Fate, fate
from conformance.compatibility.diagnosis import Diagnosis, diagnose
from conformance.judge.conclusion import Conclusion
from conformance.model.case import Level
from conformance.model.result import Result, by_area
from conformance.model.verdict import Status
from conformance.preflight.finding import Finding
from conformance.results.run import Run
from conformance.spec import causes, interplay
from conformance.spec.interplay import Component, Part


class Standing(Enum):
    """What a promise came to."""

    HELD = "held"
    BROKEN = "broken"
    UNKNOWN = "unknown"  # it could not be asked, or not to the end
    EXCUSED = "excused"  # it fails by a known bug of that version of Kubernetes
    NOT_ASKED = "not asked"  # it does not apply, or the run's options left it out


class Word(Enum):
    """The verdict in a word."""

    COMPATIBLE = "compatible"
    INCOMPATIBLE = "incompatible"
    UNDECIDED = "undecided"  # nothing is broken, but not everything could be asked


_STANDINGS = {
    Fate.PASSED: Standing.HELD,
    Fate.FAILED: Standing.BROKEN,
    Fate.UNKNOWN: Standing.UNKNOWN,
    Fate.EXCUSED: Standing.EXCUSED,
    Fate.SKIPPED: Standing.NOT_ASKED,
    Fate.UNSUPPORTED: Standing.NOT_ASKED,
}
_WORDS = {
    Conclusion.CONFORMANT: Word.COMPATIBLE,
    Conclusion.FAILED: Word.INCOMPATIBLE,
    Conclusion.PARTIAL: Word.UNDECIDED,
}


@dataclass(frozen=True, slots=True)
class Promise:
    """A case or matrix: ``failed`` of the ``judged`` cells of it failed, with those ``mismatches``."""

    case: str
    text: str
    standing: Standing
    judged: int
    failed: int
    mismatches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the run says of the plugin called ``name``.

    ``promises`` are those of each area that the run told of, CHECK left out, which judges nothing; ``untold`` counts
    promises of the kit that it left out altogether. ``known`` is what the plugin's side says of kube-proxy's nftables
    mode, ``findings`` what of it speaks against this cluster.
    """

    name: str
    run: Run
    word: Word
    promises: Mapping[str, tuple[Promise, ...]]
    untold: int
    diagnosis: Diagnosis
    known: tuple[Component, ...] = ()
    findings: tuple[Finding, ...] = ()

    def counts(self, area: str | None = None) -> Mapping[Standing, int]:
        """How many promises of the area, or of all, have come to what."""
        chosen = self.promises.values() if area is None else [self.promises.get(area, ())]
        return Counter(promise.standing for members in chosen for promise in members)

    @property
    def broken(self) -> tuple[Promise, ...]:
        """The promises that do not hold, by area."""
        return tuple(p for members in self.promises.values() for p in members if p.standing is Standing.BROKEN)


def verdict(name: str, run: Run, catalogue: Catalogue | None, findings: Sequence[Finding] = ()) -> Verdict:
    """The verdict on ``run``; without the ``catalogue`` of its kit, what it left out is not known.

    ``findings`` are the preflight's on the components beside kube-proxy. A plugin is compatible only when the run is
    conformant: as far as it was asked, if promises are ``untold``.
    """
    promises = {area: found for area, cells in by_area(run.results).items() if (found := _promises(cells, catalogue))}
    told = {promise.case for members in promises.values() for promise in members}
    every = {case for case, entry in catalogue.cases.items() if entry.level is not Level.CHECK} if catalogue else set()
    return Verdict(
        name=name,
        run=run,
        word=_WORDS[run.conclusion],
        promises=promises,
        untold=len(every - told),
        diagnosis=diagnose(run, causes.known()),
        known=tuple(_known(run)),
        findings=tuple(findings),
    )


def _promises(cells: Sequence[Result], catalogue: Catalogue | None) -> tuple[Promise, ...]:
    cases: dict[str, list[Result]] = {}
    for one in cells:
        if one.level is not Level.CHECK:
            cases.setdefault(one.case, []).append(one)
    return tuple(_promise(members, catalogue) for members in cases.values())


def _promise(cells: Sequence[Result], catalogue: Catalogue | None) -> Promise:
    first, counts = cells[0], Counter(one.status for one in cells)
    entry = catalogue.cases.get(first.case) if catalogue else None
    known = entry or Entry(first.level, len(cells), fingerprint(one.id for one in cells))
    return Promise(
        case=first.case,
        text=first.promise,
        standing=_STANDINGS[fate(known, cells)],
        judged=counts[Status.PASSED] + counts[Status.FAILED] + counts[Status.KNOWN_ISSUE],
        failed=counts[Status.FAILED],
        mismatches=tuple(sorted({one.mismatch.value for one in cells if one.status is Status.FAILED})),
    )


def _known(run: Run) -> list[Component]:
    facts, known = run.facts, interplay.known()
    named = [(Part.CNI, name) for name in (facts.cni.value or "").split(" + ")]
    named += [(Part.POLICY, name) for name in (facts.policy_engine.value or "").split(" + ")]
    return [found for part, name in dict.fromkeys(named) if (found := known.component(part, name))]
