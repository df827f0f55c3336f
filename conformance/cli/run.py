"""``nftconform run``: the suites against a cluster, or against a lab that lives as long as the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from conformance.arrange.terms import Terms
from conformance.cli.options import Given, cluster_options, pod_options
from conformance.cli.terms import terms_options
from conformance.cli.there import settled
from conformance.errors import KitError, UsageError
from conformance.kit import put_on_path

if TYPE_CHECKING:
    from fixtures.settings import Settings


@click.command()
@cluster_options
@pod_options
@terms_options()
@click.option("-k", "expression", metavar="EXPR", help="Only cells whose IDs match, as in pytest.")
@click.option("-n", "workers", type=click.IntRange(1), help="Areas side by side in N processes (pytest-xdist).")
@click.option(
    "--trust",
    type=click.IntRange(0),
    metavar="N",
    help="Surprises of an area asked again before the rest is believed.  [default: 40]",
)
@click.option(
    "--node-access",
    type=click.Choice(["none", "kube-proxy"]),
    default="none",
    show_default=True,
    help="Read the nodes' rules too, by exec in kube-proxy's pods.",
)
@click.option(
    "--patience",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="For a node's proxy to catch up with a change before it is asked nevertheless.  [default: 60]",
)
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("reports/out"), show_default=True, help="For the reports."
)
def run(
    kubeconfig: Path | None,
    context: str | None,
    cases: tuple[str, ...],
    profile: str,
    externals: tuple[str, ...],
    told: tuple[str, ...],
    in_lab: bool,
    nodes: int,
    agent_image: str | None,
    expression: str | None,
    workers: int | None,
    trust: int | None,
    node_access: str,
    patience: float | None,
    output: Path,
    terms: Terms,
) -> int:
    """Ask every cell, judge the answers, write JUnit.

    Exit codes: 0 conformant, 1 failures, 2 partial or unknown, 3 usage or environment.
    """
    root = put_on_path()
    # Importable only after put_on_path.
    from fixtures.settings import check_named  # noqa: PLC0415
    from reports.files import check_writable  # noqa: PLC0415

    choice = Given(
        kubeconfig, context, cases, profile, externals, told, agent_image, trust, patience, node_access, terms
    ).choice(output)
    check_named(choice)
    check_writable(output)
    selection = ["-k", expression] if expression else []
    selection += ["-n", str(workers)] if workers and workers > 1 else []
    with settled(choice, in_lab=in_lab, nodes=nodes) as settings:
        return _pytest(root, settings, selection)


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
