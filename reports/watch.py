"""What was lost while a command ran, as a person or a program reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.judge.outages import Outage
from conformance.model.printable import printable


@dataclass(frozen=True, slots=True)
class Told:
    """The ``command`` ended with ``code`` after ``seconds``; ``before`` and ``after`` are nodes' modes by their rules,
    empty where nobody looked.
    """

    command: tuple[str, ...]
    code: int
    seconds: float
    outages: tuple[Outage, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]


def as_json(told: Told) -> str:
    """All of it; times in seconds."""
    return json.dumps(asdict(told), indent=2)


def show(console: Console, told: Told) -> None:
    """A line a lane that noticed anything, the longest outage first; of those that noticed nothing their number."""
    table = Table(box=None, pad_edge=False)
    for title in ("lane", "lost", "longest", "at the end", "how dials ended"):
        table.add_column(title, justify="right" if title in ("lost", "longest") else "left")
    hit = sorted((one for one in told.outages if not one.clean), key=lambda one: (-one.seconds, one.lane))
    for one in hit:
        broken = f", broke {one.broken}x" if one.broken else ""
        end = one.trouble or ("served" if one.back else "not served") + broken
        lost, said = f"{one.lost}/{one.asked}", map(Text, map(printable, (end, one.seen)))
        table.add_row(Text(one.lane), lost, f"{one.seconds:.2f} s", *said)
    if hit:
        console.print(table)
    quiet = len(told.outages) - len(hit)
    console.print(f"{quiet} of {len(told.outages)} lanes noticed nothing")
    for node in sorted(told.after):
        was, now = told.before.get(node, "unknown"), told.after[node]
        left = ": rules of a former mode are left" if " + " in now else ""
        console.print(Text(f"{node}: rules of {was} before, of {now} after{left}"), soft_wrap=True)
