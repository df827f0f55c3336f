"""Two pages for people: every promise that the suites make, and which known behaviours those cover."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from conformance.model.case import Case, Matrix
from conformance.model.source import Source
from conformance.spec.coverage import Row
from reports.markdown import HEAD, row

_UNIQUE = "\N{BLACK STAR}"


@dataclass(frozen=True, slots=True)
class Chapter:
    """One area of the suites; ``cells`` says, by ID, how many cells a case or matrix has in the lab."""

    area: str
    cases: tuple[Case, ...]
    matrices: tuple[Matrix, ...]
    cells: Mapping[str, int]


def catalogue(chapters: Sequence[Chapter]) -> str:
    """Every case and matrix by area, as Markdown, with its promise, sources and the faults that it catches."""
    cases = sum(len(c.cases) for c in chapters)
    matrices = sum(len(c.matrices) for c in chapters)
    cells = sum(sum(c.cells.values()) for c in chapters)
    lines = [
        HEAD,
        "# Catalogue\n",
        f"{cases} cases and {matrices} matrices: {cells:,} cells in the lab.\n",
        "A case is one promise, written by hand and asked for every IP family and protocol that it names.",
        "A matrix dials Service variants from every client position; the oracle alone says what must happen.",
        "`nftconform explain ID` prints the reasons.\n",
        "| area | cases | matrices | cells in the lab |",
        "| --- | ---: | ---: | ---: |",
        *(row(f"[{c.area}](#{c.area})", len(c.cases), len(c.matrices), f"{sum(c.cells.values()):,}") for c in chapters),
    ]
    for chapter in chapters:
        lines += ["", f"## {chapter.area}\n", *_cases(chapter), *_matrices(chapter)]
    return "\n".join(lines) + "\n"


def coverage(rows: Sequence[Row], covered: Mapping[str, Sequence[str]], lab: Collection[str]) -> str:
    """Every row of the coverage table, as Markdown: its cases, or why it has none; totals first.

    ``covered`` are the cases and matrices by row, ``lab`` those of them that the lab can ask: only they count.
    """
    unique = [row for row in rows if row.unique]
    groups = [(name, tuple(members)) for name, members in groupby(rows, key=lambda row: row.group)]
    lines = [
        HEAD,
        "# Coverage\n",
        f"{_share(rows, covered, lab)} behaviours of Services have a case that runs in the lab.\n",
        "The table was compiled in November 2026 from the Kubernetes API, kube-proxy's code, and what five peers",
        "check: Kubernetes e2e, k8s-service-validator, Cilium, cyclonus, Gateway API.",
        f"{_UNIQUE} marks what none of the five checks: of those, {_share(unique, covered, lab)} have a case here.\n",
        "eTP and iTP stand for externalTrafficPolicy and internalTrafficPolicy, HCNP for healthCheckNodePort, and VIP",
        "for an address that a load balancer gave.\n",
        "| group | in the lab | without a case |",
        "| --- | ---: | ---: |",
        *(
            row(f"{members[0].id[0]} {name}", _share(members, covered, lab), _without(members, covered))
            for name, members in groups
        ),
        row("**all**", f"**{_share(rows, covered, lab)}**", f"**{_without(rows, covered)}**"),
    ]
    for name, members in groups:
        lines += ["", f"## {members[0].id[0]} {name}\n", "| row | behaviour | | cases |", "| --- | --- | --- | --- |"]
        lines += [
            row(one.id, one.behaviour, _UNIQUE if one.unique else "", _answer(one, covered.get(one.id, ()), lab))
            for one in members
        ]
    return "\n".join(lines) + "\n"


def _cases(chapter: Chapter) -> Iterable[str]:
    if not chapter.cases:
        return
    yield "| case | promise | level | profile | sources | catches |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for case in chapter.cases:
        faults = "; ".join(str(fault.value) for fault in case.catches)
        yield row(_target(case.id), case.promise, case.level.value, case.profile.value, _cited(case.sources), faults)


def _matrices(chapter: Chapter) -> Iterable[str]:
    if not chapter.matrices:
        return
    if chapter.cases:
        yield ""
    yield "| matrix | promise | level | profile | sources | Services | cells in the lab |"
    yield "| --- | --- | --- | --- | --- | ---: | ---: |"
    for one in chapter.matrices:
        numbers = (len(one.services), f"{chapter.cells.get(one.id, 0):,}")
        yield row(_target(one.id), one.promise, one.level.value, one.profile.value, _cited(one.sources), *numbers)


def _cited(sources: Iterable[Source]) -> str:
    return ", ".join(f"[{s.text}]({s.url})" if s.url else f"`{s.text}`" for s in sources)


def _target(identity: str) -> str:
    return f'<a id="{identity.lower()}"></a>{identity}'


def _answer(row: Row, cases: Sequence[str], lab: Collection[str]) -> str:
    links = ", ".join(
        f"[{one}](catalogue.md#{one.lower()})" + ("" if one in lab else " (not in the lab)") for one in cases
    )
    return links or row.unchecked or "no case, and no reason why"


def _share(rows: Collection[Row], covered: Mapping[str, Sequence[str]], lab: Collection[str]) -> str:
    asked = sum(any(case in lab for case in covered.get(row.id, ())) for row in rows)
    return f"{asked} of {len(rows)}"


def _without(rows: Iterable[Row], covered: Mapping[str, Sequence[str]]) -> int:
    return sum(not covered.get(row.id) for row in rows)
