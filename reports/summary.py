"""The end of a run on the terminal: some failures as a person reads them, then one screen that says it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.compatibility.diagnosis import diagnose
from conformance.judge import explain
from conformance.judge.conclusion import Conclusion
from conformance.model.printable import printable
from conformance.model.result import Result, by_area
from conformance.model.verdict import Status
from conformance.results.run import Run
from conformance.spec.causes import known
from reports.causes import short
from reports.facts import spent

MOST_BLOCKS = 10
"""Who has more failures reads the reports."""
MOST_AREAS, MOST_CASES, MOST_CAUSES, MOST_REASONS = 7, 5, 2, 3
"""Together with all other lines 24: the screen that a terminal has at least, 80 columns wide."""

_COLUMNS = (
    (Status.PASSED, "passed", "green"),
    (Status.FAILED, "failed", "bold red"),
    (Status.UNKNOWN, "unknown", "yellow"),
    (Status.NOT_APPLICABLE, "n/a", "dim"),
    (Status.KNOWN_ISSUE, "known issue", "magenta"),
    (Status.RECORDED, "recorded", "cyan"),
)
_WORDS = {
    Conclusion.CONFORMANT: ("conformant", "bold green"),
    Conclusion.FAILED: ("failed", "bold red"),
    Conclusion.PARTIAL: ("partial", "bold yellow"),
}
_STYLES = {status: style for status, _, style in _COLUMNS}


def show(console: Console, run: Run, written: Collection[Path] = (), options: str = "", *, whole: bool = False) -> None:
    """Print failures and unknowns, and then a screen: areas, failing cases, reasons, the verdict of the run.

    ``options`` are those that ask the same cluster again; ``whole``: all of it, however many screens that takes.
    """
    most = len(run.results) if whole else 0
    for status in (Status.FAILED, Status.UNKNOWN):
        chosen = [r for r in run.results if r.status is status]
        _blocks(console, chosen, _STYLES[status], options, max(most, MOST_BLOCKS))
    console.print()
    console.print(_table(run.results, max(most, MOST_AREAS)))
    causes = _causes(run)
    _lines(console, _cases(run.results), max(most, MOST_CASES - bool(causes)), "cases")
    _lines(console, causes, max(most, MOST_CAUSES), "causes")
    _lines(console, _reasons(run.results), max(most, MOST_REASONS), "reasons")
    for trouble in run.troubles:
        console.print(Text(trouble, style="yellow"), soft_wrap=True)
    word, style = _WORDS[run.conclusion]
    judged = sum(r.status in (Status.PASSED, Status.FAILED, Status.KNOWN_ISSUE) for r in run.results)
    took = f" in {run.footer.seconds:.1f} s" if run.footer else ""
    unasked = f", {run.missing} never asked" if run.missing > 0 else ""
    used, there = len(run.header.nodes), len(run.facts.nodes.otherwise(()))
    few = f", on {used} of {there} nodes" if used < there else ""
    console.print(Text.assemble((word, style), f": {judged} cells judged{took}{unasked}{few}"))
    if whole and run.footer:
        for name, words in spent(run.footer.effort).items():
            console.print(Text(f"{name}: {words}"), soft_wrap=True)
    for path in written:
        console.print(Text(f"written: {path}"), soft_wrap=True)


def _table(results: Sequence[Result], most: int) -> Table:
    """The areas; where there are many, those with the most trouble, and the others in one row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("area", no_wrap=True, overflow="ellipsis")
    table.add_column("cells", justify="right")
    shown = [(s, word, style) for s, word, style in _COLUMNS if any(r.status is s for r in results)]
    for _, word, _ in shown:
        table.add_column(word, justify="right")
    grouped = by_area(results)
    first = sorted(grouped, key=lambda area: -_trouble(grouped[area]))[: most - (len(grouped) > most)]
    for area, members in grouped.items():
        if area in first:
            table.add_row(Text(printable(area)), str(len(members)), *_numbers(members, shown))
    others = [one for area, members in grouped.items() if area not in first for one in members]
    if others:
        count = f"{len(grouped) - len(first)} others"
        table.add_row(Text(count, style="dim"), str(len(others)), *_numbers(others, shown))
    if len(grouped) > 1:
        table.add_row(Text("all", style="bold"), str(len(results)), *_numbers(results, shown))
    return table


def _trouble(members: Iterable[Result]) -> int:
    return sum(one.status in (Status.FAILED, Status.UNKNOWN) for one in members)


def _numbers(members: Collection[Result], shown: list[tuple[Status, str, str]]) -> list[Text]:
    counted = Counter(r.status for r in members)
    return [Text(str(counted[s]), style=style if counted[s] else "dim") for s, _, style in shown]


def _cases(results: Iterable[Result]) -> list[Text]:
    """What fails, case by case, the one with most failing cells first."""
    failed = [one for one in results if one.status is Status.FAILED]
    promises = {one.case: one.promise for one in failed}
    return [
        Text.assemble((printable(case), "bold red"), f" {count}x  {printable(promises[case])}")
        for case, count in Counter(one.case for one in failed).most_common()
    ]


def _causes(run: Run) -> list[Text]:
    """What probably is behind the failures, where their pattern says something."""
    diagnosis = diagnose(run, known())
    return [
        Text.assemble(("probable cause ", "bold"), printable(short(found, len(diagnosis.failed))))
        for found in diagnosis.found
    ]


def _reasons(results: Iterable[Result]) -> list[Text]:
    unasked = (Status.NOT_APPLICABLE, Status.RECORDED)
    counted = Counter((r.status, r.message) for r in results if r.status in unasked)
    return [
        Text(f"{status.value.replace('-', ' ')}, {count} cells: {printable(reason)}", style="dim")
        for (status, reason), count in counted.most_common()
    ]


def _lines(console: Console, lines: Sequence[Text], most: int, what: str) -> None:
    """So many of them, each in one line of the terminal."""
    shown = lines if len(lines) <= most else lines[: most - 1]
    for line in shown:
        console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
    if len(shown) < len(lines):
        console.print(Text(f"... and {len(lines) - len(shown)} more {what}", style="dim"))


def _blocks(console: Console, results: list[Result], style: str, options: str, most: int) -> None:
    alike: dict[str, list[Result]] = {}
    for one in results:
        alike.setdefault(one.id if one.account else one.message, []).append(one)
    groups = list(alike.values())
    for result, *others in groups[:most]:
        console.print()
        block, message = explain(result, options), printable(result.message)
        who = f"{printable(result.id)} and {len(others)} more" if others else printable(result.id)
        console.print(Text(message if block else f"{who}: {message}", style=style), soft_wrap=True)
        if block:
            console.print(Text(block), soft_wrap=True)
    if hidden := sum(len(group) for group in groups[most:]):
        console.print(Text(f"\n... and {hidden} more, in the reports", style=style))
