"""The seam of a bench's reports: each is made of the bench and of nothing else."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from conformance.errors import UsageError
from conformance.measured.bench import Bench
from reports.bench_plots import drawn, plots
from reports.bench_tables import Numbers, tables
from reports.bench_text import about, markdown, terminal
from reports.files import write_whole
from reports.html import digest, environment, part

PAGE = "bench.html"
PICTURES = ("svg", "png")
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def page(numbers: Numbers) -> bytes:
    """One HTML file that needs nothing else. Whatever the bench holds is shown as text; nothing is fetched or run."""
    style = part("page.css")
    rendered = (
        environment()
        .get_template("bench.html.j2")
        .render(
            policy=f"default-src 'none'; style-src '{digest(style)}'; img-src data:; base-uri 'none'; "
            "form-action 'none'",
            style=style,
            started=numbers.bench.header.started,
            places=", ".join(place.name for place in numbers.bench.header.places),
            troubles=numbers.bench.troubles,
            about=list(about(numbers.bench)),
            plots=[(name, base64.b64encode(drawn(canvas, "svg")).decode()) for name, canvas in plots(numbers).items()],
            tables=list(tables(numbers)),
        )
    )
    return rendered.encode("utf-8", "replace")


def write_pictures(numbers: Numbers, folder: Path, kinds: Sequence[str] = PICTURES) -> list[Path]:
    """Every plot as SVG and PNG in ``folder``; their paths. `EnvironmentFault`."""
    made = []
    for name, canvas in plots(numbers).items():
        for kind in kinds:
            made.append(folder / f"bench-{name}.{kind}")
            write_whole(made[-1], drawn(canvas, kind))
    return made


def measured_page(page: str, numbers: Numbers, pictures: Sequence[str]) -> str:
    """``page`` with what was measured between its marks. `UsageError` when it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise UsageError(f"The page has no {BEGIN} and {END}.", "They say where the measured part goes.")
    shown = "\n".join(f"![{Path(name).stem}]({name})\n" for name in pictures)
    return f"{before}{BEGIN}\n{markdown(numbers)}\n{shown}{END}{after}"


FORMATS: Mapping[str, Callable[[Numbers], bytes]] = {
    "html": page,
    "markdown": lambda numbers: markdown(numbers).encode(),
    "summary": terminal,
}
"""By the name that ``nftconform report --format`` takes."""


def written(bench: Bench, folder: Path) -> Numbers:
    """The page and the plots, in ``folder``, and the numbers that they show."""
    numbers = Numbers.of(bench)
    write_whole(folder / PAGE, page(numbers))
    write_pictures(numbers, folder)
    return numbers
