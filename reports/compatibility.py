"""Verdicts on network plugins: the table of plugin by area, as text, Markdown, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from sys import stdout

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.compatibility.verdict import Promise, Standing, Verdict, Word
from conformance.model.printable import printable
from conformance.preflight.finding import Severity
from conformance.spec.interplay import Component
from reports.causes import name, told, unexplained
from reports.html import bare_page
from reports.markdown import plain, row
from reports.page import causes_section

SCHEMA = 1
"""Raised when a key changes its meaning; what is only added does not raise it."""
_STYLES = {Word.COMPATIBLE: "bold green", Word.INCOMPATIBLE: "bold red", Word.UNDECIDED: "bold yellow"}
_GAP = 2
_PLAIN = 80
"""Columns where there is no terminal."""
_MANY = 20
"""Broken promises of a plugin of which a page of Markdown shows the cause first and the list when asked."""
LEGEND = (
    "A number alone: so many promises hold. \N{MULTIPLICATION X}2/30: two of thirty are broken. ?: could not be asked. "
    "k: excused by a known bug of Kubernetes. \N{EN DASH}: not asked."
)


def text(verdicts: Sequence[Verdict]) -> str:
    """For a terminal or a log."""
    console = Console(file=StringIO(), highlight=False, force_terminal=stdout.isatty())
    if not console.is_terminal:
        console.width = _PLAIN
    show(console, verdicts)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def show(console: Console, verdicts: Sequence[Verdict]) -> None:
    """What each comes to, the table of areas, and of each that is not compatible what is broken and why."""
    first = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("plugin", "verdict", *(standing.value for standing in Standing)):
        first.add_column(column, justify="right" if column in {s.value for s in Standing} else "left")
    for one in verdicts:
        counts = [str(one.counts()[standing]) for standing in Standing]
        first.add_row(Text(printable(one.name)), Text(one.word.value, style=_STYLES[one.word]), *counts)
    console.print(first)
    for table in _tables(verdicts, console.width):
        console.print()
        console.print(table)
    console.print(Text(LEGEND, style="dim"))
    for one in verdicts:
        lines = list(_account(one))
        if lines:
            console.print()
            console.print(Text(printable(one.name), style="bold"))
        for line in lines:
            console.print(Text(f"  {printable(line)}"), soft_wrap=True)


def markdown(verdicts: Sequence[Verdict]) -> str:
    """For a step summary, a pull request or a page of documentation."""
    lines = ["# nftconform: compatibility\n"]
    lines += [row("plugin", "verdict", *(s.value for s in Standing), "probable cause"), row(*["---"] * 8)]
    lines += [
        row(plain(v.name), f"**{v.word.value}**", *(v.counts()[s] for s in Standing), plain("; ".join(_names(v))))
        for v in verdicts
    ]
    lines += ["", row("area", *(plain(v.name) for v in verdicts)), row("---", *["---:"] * len(verdicts))]
    lines += [row(plain(area), *(mark(v, area) for v in verdicts)) for area in areas(verdicts)]
    lines += ["", LEGEND]
    for one in verdicts:
        lines += [f"\n## {plain(one.name)}: {one.word.value}\n", *(f"- {plain(line)}" for line in _asked(one))]
        lines += causes_section(one.diagnosis, "###")
        broken = [f"- {plain(_of(p))}" for p in one.broken]
        if len(broken) > _MANY:
            broken = [f"<details><summary>{len(broken)} broken promises</summary>\n", *broken, "\n</details>"]
        lines += ["", *broken] if broken else []
    return "\n".join(lines) + "\n"


def html(verdicts: Sequence[Verdict]) -> str:
    """One page that needs nothing else."""
    return bare_page(
        "compatibility.html.j2",
        verdicts=verdicts,
        standings=list(Standing),
        areas=areas(verdicts),
        mark=mark,
        broken=lambda one, area: one.counts(area)[Standing.BROKEN],
        causes=lambda one: list(told(one.diagnosis)),
        unexplained=unexplained,
        names=_names,
        asked=_asked,
        of=_of,
        badge={Word.COMPATIBLE: "conformant", Word.INCOMPATIBLE: "failed", Word.UNDECIDED: "partial"},
        legend=LEGEND,
    )


def as_json(verdicts: Sequence[Verdict]) -> str:
    """All of it; reports/compatibility.schema.json is its schema."""
    return json.dumps({"schema": SCHEMA, "plugins": [_plain(one) for one in verdicts]}, indent=1) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Verdict]], str]] = {
    "text": text,
    "markdown": markdown,
    "html": html,
    "json": as_json,
}


def areas(verdicts: Sequence[Verdict]) -> list[str]:
    """The areas that any of the runs told of."""
    return sorted({area for one in verdicts for area in one.promises})


def mark(one: Verdict, area: str) -> str:
    """The area's promises in a few signs, as `LEGEND` says."""
    counts = one.counts(area)
    every = sum(counts.values()) - counts[Standing.NOT_ASKED]
    signs = {Standing.BROKEN: "\N{MULTIPLICATION X}", Standing.UNKNOWN: "?", Standing.EXCUSED: "k"}
    wrong = [f"{sign}{counts[standing]}" for standing, sign in signs.items() if counts[standing]]
    if wrong:
        return f"{' '.join(wrong)}/{every}"
    return str(every) if every else "\N{EN DASH}"


def _tables(verdicts: Sequence[Verdict], width: int) -> Iterator[Table]:
    """As many as it takes for the plugins to fit beside each other."""
    rows = areas(verdicts)
    head = max(map(len, rows), default=0)
    left = list(verdicts)
    while left:
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
        table.add_column("area", no_wrap=True)
        shown: list[Verdict] = []
        used = head
        while left and (not shown or used + _width(left[0], rows) <= width):
            used += _width(left[0], rows)
            shown.append(left.pop(0))
            table.add_column(Text(printable(shown[-1].name)), justify="right", no_wrap=True)
        for area in rows:
            table.add_row(Text(printable(area)), *(Text(mark(v, area), style=_style(v, area)) for v in shown))
        yield table


def _width(one: Verdict, rows: Sequence[str]) -> int:
    return _GAP + max(len(one.name), *(len(mark(one, area)) for area in rows), 0)


def _style(one: Verdict, area: str) -> str:
    counts = one.counts(area)
    return "bold red" if counts[Standing.BROKEN] else "yellow" if counts[Standing.UNKNOWN] else ""


def _account(one: Verdict) -> Iterator[str]:
    """What is broken and why, and what else there is to know; nothing of a plugin that simply is compatible."""
    yield from map(_of, one.broken)
    for cause in told(one.diagnosis):
        yield f"probable cause: {cause.headline}"
        yield f"  {cause.told} {cause.remedy}"
        yield f"  {cause.evidence}"
    if rest := unexplained(one.diagnosis):
        yield rest
    yield from _asked(one)


def _asked(one: Verdict) -> Iterator[str]:
    """What qualifies the verdict: what was left out, what is wrong with the file, what the plugin's side says."""
    yield from one.run.troubles
    if one.untold:
        yield f"{one.untold} more promises of the kit were not in this run: the verdict is as far as it goes"
    yield from (f"{known.name}: {_component(known)}" for known in one.known)
    for finding in one.findings:
        if finding.severity in (Severity.BLOCKER, Severity.WARNING):
            yield f"{finding.severity.value}: {finding.evidence}. {finding.remedy}"


def _component(known: Component) -> str:
    return f"{known.verdict.value} with kube-proxy's nftables mode: {known.told} <{known.link}>"


def _of(promise: Promise) -> str:
    how = ", ".join(promise.mismatches)
    return f"{promise.case} is broken ({how}; {promise.failed} of {promise.judged} cells): {promise.text}"


def _names(one: Verdict) -> list[str]:
    return [name(found) for found in one.diagnosis.found]


def _plain(one: Verdict) -> dict[str, object]:
    run, facts = one.run, one.run.facts
    mode = facts.proxy_mode.value
    return {
        "name": one.name,
        "verdict": one.word.value,
        "cluster": {
            "kubernetes": facts.version.value,
            "proxy_mode": mode.value if mode else None,
            "cni": facts.cni.value,
            "cni_version": facts.cni_version.value,
            "kit": run.header.kit,
            "started": run.header.started,
        },
        "troubles": list(run.troubles),
        "untold": one.untold,
        "areas": {
            area: [
                {
                    "case": p.case,
                    "standing": p.standing.value,
                    "judged": p.judged,
                    "failed": p.failed,
                    "mismatches": list(p.mismatches),
                }
                for p in members
            ]
            for area, members in one.promises.items()
        },
        "failed": [each.id for each in one.diagnosis.failed],
        "causes": [
            {
                "id": found.cause.id,
                "name": found.cause.name,
                "only": {found.only[0].value: list(found.only[1])} if found.only else None,
                "explains": [each.id for each in found.explained],
                "breaks": {"failed": found.failing, "of": found.like},
                "spares": {"passed": found.spared, "of": found.apart},
            }
            for found in one.diagnosis.found
        ],
        "unexplained": [each.id for each in one.diagnosis.unexplained],
        "known": [{"name": k.name, "verdict": k.verdict.value, "told": k.told, "link": k.link} for k in one.known],
    }
