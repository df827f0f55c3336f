"""``nftconform run``: the suites against a cluster, or against a lab that lives as long as the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from _pytest.mark import expression as pytest_expression

from conformance.arrange.terms import Terms
from conformance.cli.cni import CniOptions
from conformance.cli.options import Given, cluster_options, pod_options
from conformance.cli.terms import terms_options
from conformance.cli.there import settled
from conformance.errors import KitError, UsageError
from conformance.kit import put_on_path

if TYPE_CHECKING:
    from fixtures.settings import Settings

_MALFORMED: type[Exception] = getattr(pytest_expression, "ParseError", SyntaxError)
"""pytest 9 has no error of its own for it."""

_SPARED = ("cacheprovider", "hypothesispytest", "logging", "threadexception", "unraisableexception", "warnings")
"""Plugins of pytest that have nothing to do here, and do it for each of nine thousand tests: half of pytest's time."""


@click.command()
@cluster_options
@pod_options
@terms_options()
@click.option("-k", "expression", metavar="EXPR", help="Only cells whose IDs match, as in pytest.")
@click.option("-v", "--verbose", is_flag=True, help="A line a cell as it is judged, and the whole summary.")
@click.option("-n", "workers", type=click.IntRange(1), help="Areas side by side in N processes (pytest-xdist).")
@click.option(
    "--trust",
    type=click.IntRange(0),
    metavar="N",
    help="Surprises of an area asked again before the rest is believed.  [default: 40]",
)
@click.option(
    "--node-access",
    type=click.Choice(["none", "kube-proxy", "privileged"]),
    default="none",
    show_default=True,
    help="Look at the nodes too: by exec in kube-proxy's pods, or also by privileged pods that enter them.",
)
@click.option(
    "--evidence",
    type=click.Choice(["none", "state", "trace"]),
    help="Of failures: objects and rules (state), and the packet's way through them (trace).  [default: trace in a lab "
    "and with --node-access privileged, else state]",
)
@click.option(
    "--patience",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="For a node's proxy to catch up with a change before it is asked nevertheless.  [default: 60]",
)
@click.option(
    "--outage",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="For an API server that is lost to come back, or a place to dial from.  [default: 60]",
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
    binaries: Path | None,
    proxy_mode: str | None,
    kube_proxy_config: Path | None,
    cni: CniOptions,
    agent_image: str | None,
    expression: str | None,
    verbose: bool,
    workers: int | None,
    trust: int | None,
    node_access: str,
    evidence: str | None,
    patience: float | None,
    outage: float | None,
    output: Path,
    terms: Terms,
) -> int:
    """Ask every cell, judge the answers, write results.jsonl, JUnit and a page to look at.

    Exit codes: 0 conformant, 1 failures, 2 partial or unknown, 3 usage or environment, 130 interrupted before that.
    """
    root = put_on_path()
    # Importable only after put_on_path.
    from fixtures.settings import check_named  # noqa: PLC0415
    from reports.files import check_writable, forget  # noqa: PLC0415

    choice = Given(
        kubeconfig,
        context,
        cases,
        profile,
        externals,
        told,
        agent_image,
        trust,
        patience,
        node_access,
        outage,
        terms,
        evidence,
    ).choice(output)
    check_writable(output)
    forget(output)
    check_named(replace(choice, lab_nodes=nodes) if in_lab else choice)
    selection = ["-k", _checked(expression)] if expression else []
    selection += ["-v"] if verbose else []
    selection += ["-n", str(workers)] if workers and workers > 1 else []
    kubernetes = (binaries, proxy_mode, kube_proxy_config, cni)
    with settled(choice, in_lab=in_lab, nodes=nodes, wanted=kubernetes) as settings:
        return _pytest(root, settings, selection)


def _checked(expression: str) -> str:
    """The same; `UsageError` now rather than when a lab is up, where pytest does not understand it."""
    try:
        pytest_expression.Expression.compile(expression)
    except _MALFORMED as fault:
        hint = "For example: -k 'ipv4 and not udp'"
        raise UsageError(f"-k {expression!r} is no expression of pytest's: {fault}.", hint) from None
    return expression


def _pytest(root: Path, settings: Settings, selection: list[str]) -> int:
    """Run the suites in this process; pytest's own codes for bad usage and for nothing selected become ours."""
    from fixtures.session import Settled  # noqa: PLC0415

    spared = [word for plugin in _SPARED for word in ("-p", f"no:{plugin}")]
    # Capturing would swallow the progress: what is printed here is meant to be seen.
    own = ["-c", str(root / "tox.ini"), "--rootdir", str(root), *spared, "--capture=no", "--terminal", "kit"]
    args = [str(root / "suites"), *own, *selection]
    code = int(pytest.main(args, plugins=[Settled(settings)]))
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise UsageError("No cell matches.", "`nftconform plan --cells` lists them all.")
    return KitError.exit_code if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR) else code
