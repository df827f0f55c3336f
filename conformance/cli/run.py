"""``nftconform run``: the suites against a cluster, or against a lab that lives as long as the run."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click
import pytest

from conformance.errors import KitError, UsageError
from conformance.kit import put_on_path
from conformance.lab.addresses import AddressPlan
from conformance.model.case import Profile

if TYPE_CHECKING:
    from fixtures.settings import Choice, Settings


@click.command()
@click.option("--lab", "in_lab", is_flag=True, help="Bring up an embedded cluster for this run.")
@click.option("--nodes", default=3, show_default=True, type=click.IntRange(1, 16), help="Nodes of the lab.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="The cluster to ask [$KUBECONFIG, ~/.kube/config].")
@click.option("--context", help="The kubeconfig's context [its current one].")
@click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case, matrix or cell; may be repeated.")
@click.option("-k", "expression", metavar="EXPR", help="Only cells whose IDs match, as in pytest.")
@click.option("-n", "workers", type=click.IntRange(1), help="Areas side by side in N processes (pytest-xdist).")
@click.option(
    "--profile",
    type=click.Choice([p.value for p in Profile]),
    default=Profile.KUBE_PROXY_NFTABLES.value,
    show_default=True,
    help="Whose promises are asked.",
)
@click.option(
    "--external", "externals", multiple=True, metavar="NAME[@NODE]=HOW", help="A client outside the cluster; see docs."
)
@click.option("--agent-image", help="The image with python3 that pods run.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("reports/out"), show_default=True, help="For the reports."
)
def run(
    in_lab: bool,
    nodes: int,
    kubeconfig: Path | None,
    context: str | None,
    cases: tuple[str, ...],
    expression: str | None,
    workers: int | None,
    profile: str,
    externals: tuple[str, ...],
    agent_image: str | None,
    output: Path,
) -> int:
    """Ask every cell, judge the answers, write JUnit.

    Exit codes: 0 conformant, 1 failures, 2 partial or unknown, 3 usage or environment.
    """
    if in_lab and (kubeconfig or context):
        raise UsageError("--lab brings its own cluster.", "Give either --lab or --kubeconfig and --context.")
    root = put_on_path()
    # Importable only after put_on_path.
    from fixtures.settings import Choice, check_named, check_permitted, check_reachable, settle  # noqa: PLC0415
    from reports.files import check_writable  # noqa: PLC0415

    choice = Choice(
        kubeconfig=str(kubeconfig) if kubeconfig else None,
        context=context,
        cases=cases,
        profile_name=profile,
        externals=externals,
        agent_image=agent_image,
        output_folder=str(output.resolve()),
    )
    check_named(choice)
    check_writable(output)
    selection = ["-k", expression] if expression else []
    selection += ["-n", str(workers)] if workers and workers > 1 else []
    with _terminable(), _lab(nodes) if in_lab else nullcontext(choice) as there:
        sites = (*there.externals, *externals) if in_lab else externals
        cluster = replace(choice, kubeconfig=there.kubeconfig, externals=sites, lab_nodes=there.lab_nodes)
        settings = settle(cluster)
        check_permitted(settings)
        check_reachable(settings)
        return _pytest(root, settings, selection)


@contextmanager
def _lab(nodes: int) -> Iterator[Choice]:
    """A lab for the time of the run, named as any cluster would be."""
    from conformance.lab.launch.start import running_lab  # noqa: PLC0415  only a lab needs Linux and nft
    from fixtures.settings import Choice  # noqa: PLC0415

    with running_lab(nodes=nodes, progress=lambda text: click.echo(text, err=True)) as lab:
        click.echo(f"lab ready in {lab.seconds:.1f} s: {lab.summary}")
        yield Choice(kubeconfig=str(lab.kubeconfig), externals=_sites(lab.directory, nodes), lab_nodes=nodes)


def _sites(directory: Path, nodes: int) -> tuple[str, ...]:
    """The lab's two external clients, as they would be named on any cluster."""
    prefix = shlex.join([sys.executable, "-m", "conformance.cli", "lab", "exec", "--dir", str(directory)])
    plan = AddressPlan(nodes)
    return tuple(f"{e.name}@{e.via.name}=exec:{prefix} {e.name} --" for e in plan.externals)


def _pytest(root: Path, settings: Settings, selection: list[str]) -> int:
    """Run the suites in this process; pytest's own codes for bad usage and for nothing selected become ours."""
    from fixtures.session import Settled  # noqa: PLC0415

    # Capturing would swallow the progress: what is printed here is meant to be seen.
    own = ["-c", str(root / "tox.ini"), "--rootdir", str(root), "-p", "no:cacheprovider", "--capture=no"]
    args = [str(root / "suites"), *own, "--terminal", "kit", *selection]
    code = int(pytest.main(args, plugins=[Settled(settings)]))
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise UsageError("No cell matches.", "`nftconform plan --cells` lists them all.")
    return KitError.exit_code if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR) else code


@contextmanager
def _terminable() -> Iterator[None]:
    """A polite SIGTERM (a CI job's time-out) ends the run as Ctrl-C does: cleaned up and written down."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
