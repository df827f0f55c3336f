"""``nftconform explain CASE``: the promise, what the oracle expects of it, and why."""

from __future__ import annotations

from itertools import chain

import click
from rich.console import Console
from rich.text import Text

from conformance.errors import UsageError
from conformance.judge import expected
from conformance.kit import put_on_path
from conformance.model.case import Rejected, Stored, Submission
from conformance.model.case.service_spec import ServiceSpec
from conformance.model.cell import Cell
from conformance.model.outcome import Decides, Shows
from conformance.model.source import Source
from conformance.plan.cells import cells_of_case, cells_of_matrix
from conformance.plan.rehearse import Rehearsed, rehearse


@click.command()
@click.argument("identity", metavar="CASE")
def explain(identity: str) -> None:
    """Print promise, reasons and sources of CASE (a case such as ETP-03, or any cell's ID), on an imagined cluster."""
    put_on_path()
    every = _every_cell()
    cells = _named(identity, every)
    stories = {cell.story for cell in cells}
    answers = {one.cell.id: one for one in rehearse(cell for cell in every if cell.story in stories)}
    console = Console(highlight=False)
    console.print(_headline(cells[0]), soft_wrap=True)
    for cell in cells:
        lines = _question(cell) + (_answer(answers[cell.id]) if cell.id in answers else [])
        console.print(Text("\n".join(lines)), soft_wrap=True)


def _every_cell() -> list[Cell]:
    from fixtures.catalogue import areas  # noqa: PLC0415  importable only after put_on_path

    return [
        cell
        for area in areas()
        for cell in chain(
            *(cells_of_case(c, area.name) for c in area.cases), *(cells_of_matrix(m, area.name) for m in area.matrices)
        )
    ]


def _named(identity: str, every: list[Cell]) -> list[Cell]:
    from fixtures.catalogue import meant  # noqa: PLC0415

    found = [cell for cell in every if identity in (cell.case, cell.id)]
    if not found:
        raise UsageError(f"There is no case {identity}.", meant(identity, (cell.id for cell in every)))
    if found[0].case == identity and found[0].then is None:
        raise UsageError(
            f"{identity} is {len(found)} cells, of which the oracle alone speaks.",
            f"Name one of them, for example {found[0].id}.",
        )
    return found


def _headline(cell: Cell) -> Text:
    lines = [
        f"{cell.case}  {cell.level.value}",
        f"  promise   {cell.promise}",
        *(f"  source    {_cited(s)}" for s in cell.sources),
    ]
    return Text("\n".join(lines))


def _question(cell: Cell) -> list[str]:
    lines = [f"\n{cell.id}", f"  given     {', '.join(_shown(s) for s in cell.services) or 'no Service any more'}"]
    if isinstance(cell.what, Submission):
        return [*lines, f"  when      the API server is asked to {cell.what.words}", f"  expected  {_decided(cell)}"]
    if isinstance(cell.then, Shows):
        return [*lines, "  when      every node is looked at", f"  expected  {expected(cell.then)}"]
    times = "once" if cell.dials == 1 else f"{cell.dials} times"
    return [*lines, f"  when      {cell.client.label} asks {cell.destination.label}, {times}"]


def _answer(one: Rehearsed) -> list[str]:
    to = one.destination
    protocol = f"/{one.cell.protocol.value}" if one.cell.protocol else ""
    dialled = f"{one.client.name} -> {to.ip} port {to.port}{protocol} {to.word}".rstrip()
    because = (f"  because   {r.text}  [{_cited(r.source)}]" for r in one.expectation.reasons)
    return [f"  dialled   {dialled}", f"  expected  {expected(one.expectation.outcome)}", *because]


def _shown(spec: ServiceSpec) -> str:
    """The Service, and by whom it is served at this point of a story."""
    return f"{spec.name} ({', '.join(b.name for b in spec.backends) or 'no endpoints'})"


def _decided(cell: Cell) -> str:
    if isinstance(cell.then, Rejected):
        return expected(Decides(field=cell.then.field, status=cell.then.status))
    return expected(Decides(holds=cell.then.holds if isinstance(cell.then, Stored) else ()))


def _cited(source: Source) -> str:
    return f"{source.text}  {source.url}".rstrip()
