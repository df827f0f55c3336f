"""The seam where reports plug in: each is made of a run and of nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from io import StringIO

from rich.console import Console

from conformance.results.run import Run
from reports import badge, html, junit, page, summary

Writer = Callable[[Run], bytes]
"""The whole document. What a run holds is somebody else's text: escape it, open nothing that it names."""


def _markdown(run: Run) -> bytes:
    return page.document(run).encode()


def _summary(run: Run) -> bytes:
    """As on the terminal that this process has, if it has one; else plain text in 80 columns."""
    console = Console(file=StringIO(), highlight=False, force_terminal=sys.stdout.isatty())
    if not console.is_terminal:
        console.width = 80
    summary.show(console, run, options=run.header.again)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().encode()


FORMATS: Mapping[str, Writer] = {
    "junit": junit.document,
    "html": html.document,
    "markdown": _markdown,
    "summary": _summary,
    "badge": badge.document,
}
"""By the name that ``nftconform report --format`` takes."""
