"""``nftconform facts``: what a cluster is, and where that was learned; nothing but reads."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from conformance.cli.options import fact_option
from conformance.cluster.connection import connect
from conformance.facts.gather import gather
from conformance.facts.given import given, with_given
from conformance.kit import put_on_path


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="The cluster [$KUBECONFIG, ~/.kube/config].")
@click.option("--context", help="The kubeconfig's context [its current one].")
@fact_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON: value (null when unknown) and source of each.")
def facts(kubeconfig: Path | None, context: str | None, told: tuple[str, ...], as_json: bool) -> None:
    """Print what the API tells of a cluster, and where each fact was learned, or why it is unknown.

    The cluster is only read. A run learns some more from its own pods.
    """
    put_on_path()
    from reports import facts as report  # noqa: PLC0415  importable only after put_on_path

    given(told)  # a typing error is told before any cluster is asked
    cluster = connect(kubeconfig, context)
    try:
        found = with_given(gather(cluster), told)
    finally:
        cluster.close()
    if as_json:
        click.echo(report.as_json(found))
    else:
        Console(highlight=False).print(report.table(found))
