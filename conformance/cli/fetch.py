"""``nftconform lab fetch``: the real control plane's programs, for ``--binaries``."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from conformance.errors import UsageError
from conformance.lab.fetch.release import ETCD_URL, KUBERNETES_URL, Arch

_MACHINES = {"x86_64": Arch.AMD64, "aarch64": Arch.ARM64}


@click.command()
@click.option("--version", required=True, metavar="V", help="Of Kubernetes, such as v1.36.2.")
@click.option("--etcd-version", metavar="V", help="[default: the one that goes with the Kubernetes version]")
@click.option("--arch", type=click.Choice([a.value for a in Arch]), help="[default: this machine's]")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where folders of binaries are kept.  [default: nftconform/binaries in $XDG_CACHE_HOME or ~/.cache]",
)
@click.option(
    "--base-url",
    envvar="NFTCONFORM_KUBERNETES_URL",
    show_envvar=True,
    default=KUBERNETES_URL,
    show_default=True,
    metavar="URL",
    help="Below it, V/bin/linux/ARCH/kube-apiserver, with .sha512 or .sha256 beside it, and so on.",
)
@click.option(
    "--etcd-base-url",
    envvar="NFTCONFORM_ETCD_URL",
    show_envvar=True,
    default=ETCD_URL,
    show_default=True,
    metavar="URL",
    help="Below it, V/etcd-V-linux-ARCH.tar.gz and V/SHA256SUMS.",
)
def fetch(
    version: str, etcd_version: str | None, arch: str | None, cache: Path | None, base_url: str, etcd_base_url: str
) -> None:
    """Download etcd, kube-apiserver, kube-controller-manager and kube-proxy, verify them, and print their folder.

    What is there and verified already is not downloaded again, so that `lab up --binaries "$(nftconform lab fetch
    --version v1.36.2)"` works offline the second time. Proxies are taken from the environment (HTTPS_PROXY ...).
    """
    from conformance.lab.fetch import fetching  # noqa: PLC0415  its HTTP client is nothing for `lab exec`
    from conformance.lab.fetch.release import Release  # noqa: PLC0415

    release = Release.of(version, etcd_version, Arch(arch) if arch else _here())
    folder = (cache.absolute() if cache else fetching.cache()) / release.folder
    with _Shown() as shown:
        fetching.fetch(release.artifacts(base_url, etcd_base_url), folder, shown)
    click.echo(folder)


def _here() -> Arch:
    machine = platform.machine()
    if machine not in _MACHINES:
        raise UsageError(f"There are no binaries for this machine ({machine}).", "Name --arch: amd64 or arm64.")
    return _MACHINES[machine]


class _Shown:
    """On standard error: a bar for each download where somebody looks, and a line for each program."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description:<24}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bars = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
        self._bar: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def advanced(self, program: str, done: int, total: int | None) -> None:
        """See `fetching.Progress`."""
        if program not in self._bar:
            self._bar[program] = self._bars.add_task(program)
        self._bars.update(self._bar[program], completed=done, total=total)

    def settled(self, program: str, how: str) -> None:
        """See `fetching.Progress`."""
        if program in self._bar:
            self._bars.remove_task(self._bar.pop(program))
        click.echo(f"{program:<24} {how}", err=True)
