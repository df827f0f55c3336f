"""``nftconform lab fault``: break a running lab on purpose, and mend it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from conformance.cli.options import chosen, lab_directory
from conformance.errors import UsageError
from conformance.spec.faults import DAMAGE, Fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance.lab.faults.switching import Faults

_NAMES = {one.word: one for one in Fault}


class FaultName(click.ParamType[Fault]):
    """A fault by its name, in any spelling of it."""

    name = "fault"

    def convert(self, value: str | Fault, _param: click.Parameter | None, _context: click.Context | None) -> Fault:
        """The fault; `UsageError` for what is none."""
        if isinstance(value, Fault):
            return value
        found = _NAMES.get(value.lower().replace("_", "-"))
        if found is None:
            raise UsageError(f"There is no fault {value!r}.", "'nftconform lab fault list' names them all.")
        return found


FAULT = FaultName()


@click.group()
def fault() -> None:
    """Break the lab on purpose, and mend it: each fault is a way in which clusters are known to be wrong."""


@fault.command()
@lab_directory
@click.argument("name", type=FAULT)
@click.option("--node", default="", help="Only on this node.")
@click.option("--service", default="", metavar="[NAMESPACE/]NAME", help="Only this Service, where the fault has any.")
def on(folder: Path | None, name: Fault, node: str, service: str) -> None:
    """Switch a fault on; returns when it is in."""
    from conformance.lab.faults.board import Switch  # noqa: PLC0415
    from conformance.lab.faults.possible import check  # noqa: PLC0415
    from conformance.lab.launch.directory import required  # noqa: PLC0415

    record = required(chosen(folder))
    check(name, real_api=bool(record.version), proxy_mode=record.mode)
    _in_lab(folder, lambda faults: faults.switch_on(Switch(name.name, node, service)))
    click.echo(f"{name.word} is on: {name.value}")


@fault.command()
@lab_directory
@click.argument("name", type=FAULT, required=False)
def off(folder: Path | None, name: Fault | None) -> None:
    """Switch a fault off, or all of them; returns when it is out."""

    async def work(faults: Faults) -> None:
        gone = [switch for switch in faults.on() if name is None or switch.fault == name.name]
        if not gone:
            click.echo("nothing was on" if name is None else f"{name.word} was not on")
            return
        await faults.switch_off(*gone)
        click.echo(f"off: {', '.join(Fault[switch.fault].word for switch in gone)}")

    _in_lab(folder, work)


@fault.command("list")
@lab_directory
def list_(folder: Path | None) -> None:
    """Print every fault, where it is put in, and which are on in the lab."""
    from conformance.lab.faults.board import Board  # noqa: PLC0415

    active = {switch.fault: switch for switch in Board(chosen(folder).faults).read()}
    table = Table("fault", "on", "where", "what breaks", box=None, pad_edge=False)
    for each in sorted(DAMAGE, key=lambda one: one.name):
        switch = active.get(each.name)
        state = "" if switch is None else " ".join(filter(None, (switch.node, switch.service))) or "everywhere"
        table.add_row(each.word, state, DAMAGE[each].site.name.lower(), each.value)
    Console().print(table)


def _in_lab(folder: Path | None, work: Callable[[Faults], Awaitable[None]]) -> None:
    from conformance.lab.client import ApiClient  # noqa: PLC0415
    from conformance.lab.faults.board import Board  # noqa: PLC0415
    from conformance.lab.faults.switching import Faults  # noqa: PLC0415
    from conformance.lab.launch.directory import required  # noqa: PLC0415

    directory = chosen(folder)
    required(directory)

    async def main() -> None:
        async with ApiClient.from_kubeconfig(directory.kubeconfig) as client:
            await work(Faults(client, Board(directory.faults)))

    asyncio.run(main())
