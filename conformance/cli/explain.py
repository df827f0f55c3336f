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
from conformance.model.cell import Cell
from conformance.model.outcome import Decides
from conformance.model.source import Source
from conformance.oracle import expect_cell
from conformance.plan import imagine
from conformance.plan.bind import bind
from conformance.plan.cells import cells_of_case, cells_of_matrix


@click.command()
@click.argument("identity", metavar="CASE")
def explain(identity: str) -> None:
    """Print promise, reasons and sources of CASE (a case such as ETP-03, or any cell's ID), on an imagined cluster."""
    put_on_path()
    cells = _cells(identity)
    console = Console(highlight=False)
    console.print(_headline(cells[0]), soft_wrap=True)
    for cell in cells:
        console.print(_argument(cell), soft_wrap=True)


def _cells(identity: str) -> list[Cell]:
    from fixtures.catalogue import areas, meant  # noqa: PLC0415  importable only after put_on_path

    every = [
        cell
        for area in areas()
        for cell in chain(
            *(cells_of_case(c, area.name) for c in area.cases), *(cells_of_matrix(m, area.name) for m in area.matrices)
        )
    ]
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


def _argument(cell: Cell) -> Text:
    """One question: which Services there are, who asks, what must follow, and why."""
    lines = [f"\n{cell.id}", f"  given     {', '.join(s.name for s in cell.services) or 'no Service any more'}"]
    if isinstance(cell.what, Submission):
        lines.append(f"  when      the API server is asked to {cell.what.words}")
        return Text("\n".join([*lines, f"  expected  {_decided(cell)}"]))
    lines.append(f"  when      {cell.client.label} asks {cell.destination.label}, {_often(cell.dials)}")
    scene = imagine.scene(cell)
    bound = bind(cell, scene.state, scene.here)
    if isinstance(bound, str):
        return Text("\n".join([*lines, f"  does not apply on the imagined cluster: {bound}"]))
    client, destination = bound
    expectation = expect_cell(cell, scene.state, client, destination)
    lines.append(f"  dialled   {client.name} -> {destination.ip} port {destination.port} {destination.word}".rstrip())
    lines.append(f"  expected  {expected(expectation.outcome)}")
    lines.extend(f"  because   {r.text}  [{_cited(r.source)}]" for r in expectation.reasons)
    return Text("\n".join(lines))


def _often(dials: int) -> str:
    return "once" if dials == 1 else f"{dials} times"


def _decided(cell: Cell) -> str:
    if isinstance(cell.then, Rejected):
        return expected(Decides(field=cell.then.field, status=cell.then.status))
    return expected(Decides(holds=cell.then.holds if isinstance(cell.then, Stored) else ()))


def _cited(source: Source) -> str:
    return f"{source.text}  {source.url}".rstrip()
