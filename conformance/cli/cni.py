"""The options that choose a lab's pod network, and ``nftconform lab cni``, which lists the kit's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from conformance.errors import UsageError
from conformance.kit import kit_root

if TYPE_CHECKING:
    from conformance.lab.cni.choice import Cni

_OPTIONS = (
    click.option("--cni", "cni_name", metavar="NAME", help="The lab's pods are on this network of `lab cni`."),
    click.option(
        "--cni-conf", type=click.Path(path_type=Path), metavar="FILE", help="The same with any conflist: docs/cni.md."
    ),
    click.option(
        "--cni-bin",
        "cni_bins",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Where its plugins are; may be repeated.  [default: /usr/lib/cni, /opt/cni/bin]",
    ),
)


@dataclass(frozen=True, slots=True)
class CniOptions:
    """``--cni``, ``--cni-conf`` and ``--cni-bin``; false when none is given."""

    name: str | None
    conf: Path | None
    bins: tuple[Path, ...]

    def __bool__(self) -> bool:
        return bool(self.name or self.conf or self.bins)

    def choice(self) -> Cni | None:
        """The network that they choose, checked; None: the lab's own bridge. ``KitError``."""
        if not self:
            return None
        # Only a lab needs Linux.
        from conformance.lab.cni.choice import of_file, of_profile  # noqa: PLC0415

        if self.name and self.conf:
            raise UsageError("--cni names a network of the kit's, --cni-conf one of yours.", "Give one of them.")
        if self.conf:
            return of_file(self.conf, self.bins)
        if not self.name:
            raise UsageError("--cni-bin alone chooses no network.", "Give --cni or --cni-conf, too.")
        return of_profile(folder(), self.name, self.bins)


def cni_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options, and hands it ``cni``."""

    @functools.wraps(command)
    def told(*args: object, **options: Any) -> Any:  # noqa: ANN401  click's own
        mine = CniOptions(options.pop("cni_name"), options.pop("cni_conf"), options.pop("cni_bins"))
        return command(*args, cni=mine, **options)

    wrapped: Callable[..., Any] = told
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def folder() -> Path:
    """Where the kit's networks are described."""
    return kit_root() / "fixtures" / "cni"


@click.command("cni")
def listing() -> None:
    """List the pod networks that the kit brings for --cni, and what each breaks."""
    from conformance.lab.cni.profile import profiles  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("name", no_wrap=True)
    table.add_column("network", overflow="fold")
    table.add_column("what does not hold", overflow="fold")
    for one in profiles(folder()):
        table.add_row(one.name, one.title, one.breaks or "")
    Console(highlight=False).print(table)
