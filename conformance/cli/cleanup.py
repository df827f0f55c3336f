"""``nftconform cleanup``: takes away what killed runs left in a cluster."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from conformance.arrange.cleanup import namespaces, remove, remove_older
from conformance.cluster.connection import connect


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="The cluster [$KUBECONFIG, ~/.kube/config].")
@click.option("--context", help="The kubeconfig's context [its current one].")
@click.option(
    "--older-than",
    "minutes",
    default=60,
    show_default=True,
    type=click.IntRange(0),
    metavar="MINUTES",
    help="Leave younger runs alone: they may be under way.",
)
@click.option("--run", "run", metavar="ID", help="Only this run, whatever its age: what --keep-on-failure left.")
def cleanup(kubeconfig: Path | None, context: str | None, minutes: int, run: str | None) -> None:
    """Delete the namespaces of runs that were killed before they could do so themselves, and wait until they are gone.

    Only namespaces that carry the kit's own labels are touched.
    """
    cluster = connect(kubeconfig, context)
    try:
        removed = remove(cluster, run) if run else remove_older(cluster, timedelta(minutes=minutes))
        younger = len(namespaces(cluster))
    finally:
        cluster.close()
    click.echo(f"removed {len(removed)} namespaces{': ' if removed else ''}{', '.join(sorted(removed))}")
    if younger and not run:
        click.echo(f"left {younger} of runs younger than {minutes} minutes, which may be under way (--older-than)")
