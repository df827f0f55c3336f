"""The end of a run on the terminal: a table by area, every failure as a person reads it, one closing line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.judge.conclusion import Conclusion
from conformance.model.result import Result, by_area
from conformance.model.verdict import Status

MOST_BLOCKS = 10
"""A screenful: who has more failures reads the JUnit file."""

_COLUMNS = (
    (Status.PASSED, "passed", "green"),
    (Status.FAILED, "failed", "bold red"),
    (Status.UNKNOWN, "unknown", "yellow"),
    (Status.NOT_APPLICABLE, "not applicable", "dim"),
    (Status.KNOWN_ISSUE, "known issue", "magenta"),
    (Status.RECORDED, "recorded", "cyan"),
)
_WORDS = {
    Conclusion.CONFORMANT: ("conformant", "bold green"),
    Conclusion.FAILED: ("failed", "bold red"),
    Conclusion.PARTIAL: ("partial", "bold yellow"),
}


def show(
    console: Console,
    results: Collection[Result],
    conclusion: Conclusion,
    seconds: float,
    written: Collection[Path],
    missing: int = 0,
) -> None:
    """Print the table, the failures and unknowns, and the verdict of the run, which never came to ``missing`` cells."""
    console.print()
    console.print(_table(results))
    _blocks(console, [r for r in results if r.status is Status.FAILED], "bold red")
    _blocks(console, [r for r in results if r.status is Status.UNKNOWN], "yellow")
    _reasons(console, results)
    unasked = f", {missing} never asked" if missing > 0 else ""
    word, style = _WORDS[conclusion]
    judged = sum(r.status in (Status.PASSED, Status.FAILED, Status.KNOWN_ISSUE) for r in results)
    console.print(Text.assemble((word, style), f": {judged} cells judged in {seconds:.1f} s{unasked}"))
    for path in written:
        console.print(Text(f"written: {path}"), soft_wrap=True)


def _table(results: Collection[Result]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("area")
    table.add_column("cells", justify="right")
    shown = [(s, word, style) for s, word, style in _COLUMNS if any(r.status is s for r in results)]
    for _, word, _ in shown:
        table.add_column(word, justify="right")
    grouped = by_area(results)
    for area, members in grouped.items():
        table.add_row(area, str(len(members)), *_numbers(members, shown))
    if len(grouped) > 1:
        table.add_row(Text("all", style="bold"), str(len(results)), *_numbers(results, shown))
    return table


def _numbers(members: Collection[Result], shown: list[tuple[Status, str, str]]) -> list[Text]:
    counted = Counter(r.status for r in members)
    return [Text(str(counted[s]), style=style if counted[s] else "dim") for s, _, style in shown]


def _blocks(console: Console, results: list[Result], style: str) -> None:
    alike: dict[str, list[Result]] = {}
    for one in results:
        alike.setdefault(one.id if one.block else one.message, []).append(one)
    groups = list(alike.values())
    for result, *others in groups[:MOST_BLOCKS]:
        console.print()
        who = f"{result.id} and {len(others)} more" if others else result.id
        headline = result.message if result.block else f"{who}: {result.message}"
        console.print(Text(headline, style=style), soft_wrap=True)
        if result.block:
            console.print(Text(result.block), soft_wrap=True)
    if hidden := sum(len(group) for group in groups[MOST_BLOCKS:]):
        console.print(Text(f"\n... and {hidden} more, in the JUnit file", style=style))
    if results:
        console.print()


def _reasons(console: Console, results: Collection[Result]) -> None:
    unasked = (Status.NOT_APPLICABLE, Status.RECORDED)
    counted = Counter((r.status, r.message) for r in results if r.status in unasked)
    for (status, reason), count in counted.most_common():
        word = status.value.replace("-", " ")
        console.print(Text(f"{word}, {count} cells: {reason}", style="dim"), soft_wrap=True)
