"""``nftconform run``: the suites against a cluster, or against a lab that lives as long as the run."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
import pytest

from conformance.errors import KitError, UsageError
from conformance.kit import put_on_path
from conformance.lab.addresses import AddressPlan
from conformance.model.case import Profile


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
    args = [*_option("--case", cases), *_option("--external", externals), "--profile", profile]
    args += ["--output", str(output.resolve())]
    args += ["-k", expression] if expression else []
    args += ["-n", str(workers), "--dist", "loadscope"] if workers and workers > 1 else []
    args += ["--agent-image", agent_image] if agent_image else []
    with _terminable():
        if not in_lab:
            args += ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
            args += ["--context", context] if context else []
            return _pytest(root, args)
        from conformance.lab.launch.start import running_lab  # noqa: PLC0415  only a lab needs Linux and nft

        with running_lab(nodes=nodes, progress=lambda text: click.echo(text, err=True)) as lab:
            click.echo(f"lab ready in {lab.seconds:.1f} s: {lab.summary}")
            args += ["--kubeconfig", str(lab.kubeconfig), *_option("--external", _sites(lab.directory, nodes))]
            return _pytest(root, args)


def _sites(directory: Path, nodes: int) -> tuple[str, ...]:
    """The lab's two external clients, as they would be named on any cluster."""
    prefix = shlex.join([sys.executable, "-m", "conformance.cli", "lab", "exec", "--dir", str(directory)])
    plan = AddressPlan(nodes)
    return tuple(f"{e.name}@{e.via.name}=exec:{prefix} {e.name} --" for e in plan.externals)


def _option(name: str, values: tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (name, value)]


def _pytest(root: Path, args: list[str]) -> int:
    """Run the suites in this process; pytest's own codes for bad usage and for nothing selected become ours."""
    settings = ["-c", str(root / "tox.ini"), "--rootdir", str(root), "-p", "no:cacheprovider"]
    code = int(pytest.main([str(root / "suites"), *settings, "--terminal", "kit", *args]))
    own = {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED}
    return KitError.exit_code if code in own else code


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
