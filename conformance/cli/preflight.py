"""``nftconform preflight``: may this cluster move from iptables or ipvs to nftables? Nothing but reads."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from conformance.cli.options import fact_option
from conformance.errors import UsageError
from conformance.kit import put_on_path
from conformance.preflight import Finding, Kind, Severity, Subject, accepted, findings

BLOCKED, LOOK = 1, 2

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="The cluster [$KUBECONFIG, ~/.kube/config].")
@click.option("--context", help="The kubeconfig's context [its current one].")
@click.option(
    "--objects",
    type=_FILE,
    multiple=True,
    help="What `kubectl get -o json` printed, instead of a cluster; may be repeated.",
)
@click.option(
    "--ruleset",
    "listings",
    multiple=True,
    metavar="NODE=FILE",
    help="What `nft -j list ruleset` printed on a node; may be repeated.",
)
@fact_option
@click.option(
    "--accept",
    "accept",
    type=click.Choice([kind.value for kind in Kind]),
    multiple=True,
    metavar="KIND",
    help="A kind of warning, or of what is unknown, that somebody has looked at: a note from now on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a finding.")
def preflight(
    kubeconfig: Path | None,
    context: str | None,
    objects: tuple[Path, ...],
    listings: tuple[str, ...],
    told: tuple[str, ...],
    accept: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say what to know before kube-proxy's mode becomes nftables: node by node and Service by Service.

    The cluster is only read, with the permissions of `nftconform facts` and `list services`; what may not be read, or
    what the API does not tell, is unknown and says what helps. docs/preflight.md explains the findings.

    Exit codes: 0 it may move, 1 blockers, 2 something to look at first (a warning, or something unknown), 3 usage or
    environment.
    """
    put_on_path()
    from reports import preflight as report  # noqa: PLC0415  importable only after put_on_path

    if objects and (kubeconfig or context):
        raise UsageError("--objects and a cluster do not go together.", "Name one of them.")
    kinds = frozenset(map(Kind, accept))
    every = tuple(accepted(f, kinds) for f in findings(_subject(kubeconfig, context, objects, listings, told)))
    if as_json:
        for finding in every:
            click.echo(report.as_json(finding))
    else:
        Console(highlight=False).print(report.table(every))
        click.echo(report.verdict(every))
    return _code(every)


def _subject(
    kubeconfig: Path | None,
    context: str | None,
    objects: tuple[Path, ...],
    listings: tuple[str, ...],
    told: tuple[str, ...],
) -> Subject:
    # The client takes a second to import, which bad usage need not wait for.
    from conformance.cli.preflight_objects import saved  # noqa: PLC0415
    from conformance.cli.preflight_subject import rulesets, subject_of  # noqa: PLC0415
    from conformance.cluster.connection import connect  # noqa: PLC0415
    from conformance.facts.given import given  # noqa: PLC0415
    from fixtures.settings import known_issues  # noqa: PLC0415

    given(told)  # a typing error is told before any cluster is asked
    files, issues, today = rulesets(listings), known_issues(), datetime.now(UTC).date()
    if objects:
        return subject_of(saved(objects), told, files, issues, today)
    cluster = connect(kubeconfig, context)
    try:
        return subject_of(cluster, told, files, issues, today)
    finally:
        cluster.close()


def _code(every: tuple[Finding, ...]) -> int:
    severities = {f.severity for f in every}
    if Severity.BLOCKER in severities:
        return BLOCKED
    return LOOK if severities & {Severity.WARNING, Severity.UNKNOWN} else 0
