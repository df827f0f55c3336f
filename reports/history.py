"""The history of many runs, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.compare.history import CaseHistory, History, State
from conformance.model.printable import printable

MOST_RUNS = 20
"""The newest, in the table; JSON has all."""
_WIDE = 120
"""Columns of a terminal that has room for promises."""
_STYLES = {
    State.FAILING: "bold red",
    State.FLAPPING: "yellow",
    State.SLOWER: "magenta",
    State.LOST: "cyan",
    State.WELL: "green",
}


def show(console: Console, told: History, troubles: Iterable[str]) -> None:
    """Every case of which there is something to say, how many are well, and what is wrong with the files."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    wide = console.width >= _WIDE
    for column in ("case", "", f"last {min(MOST_RUNS, len(told.started))} runs", "since", *["promise"] * wide):
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    odd = [one for one in told.cases if one.state is not State.WELL]
    for one in odd:
        table.add_row(
            Text(printable(one.case)),
            Text(_word(one), style=_STYLES[one.state]),
            Text(one.marks[-MOST_RUNS:]),
            Text(printable(one.since[:10])),
            *[Text(printable(one.promise), style="dim")] * wide,
        )
    if odd:
        console.print(table)
    for trouble in troubles:
        console.print(Text(printable(trouble), style="yellow"), soft_wrap=True)
    span = f", {told.started[0]} to {told.started[-1]}" if told.started else ""
    well = len(told.cases) - len(odd)
    console.print(
        Text(printable(f"{len(told.started)} runs{span}: {well} of {len(told.cases)} cases are well")), soft_wrap=True
    )


def as_json(told: History, troubles: Iterable[str]) -> str:
    """All cases and runs."""
    cases = [
        {
            "case": one.case,
            "area": one.area,
            "promise": one.promise,
            "state": one.state.value,
            "marks": one.marks,
            "failing_since": one.since or None,
            "turns": one.turns,
            "median_ms": {"before": one.times[0], "lately": one.times[1]} if one.times else None,
        }
        for one in told.cases
    ]
    return json.dumps({"runs": list(told.started), "troubles": list(troubles), "cases": cases}, indent=1) + "\n"


def _word(one: CaseHistory) -> str:
    if one.state is State.FLAPPING:
        return f"flapping, {one.turns} turns"
    if one.times:
        return f"slower, {one.times[0]:.2f} -> {one.times[1]:.2f} ms"
    return str(one.state.value)
