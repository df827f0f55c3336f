"""``nftconform report``: any report, from the results of a run and nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.errors import UsageError
from conformance.kit import put_on_path


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--format", "name", required=True, metavar="FORMAT", help="html, junit, markdown or summary.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.  [default: stdout]")
def report(results: Path, name: str, output: Path | None) -> None:
    """Make a report of RESULTS, the results.jsonl of a run, whole or truncated.

    A truncated file is said to be truncated, in the report and on stderr.
    """
    put_on_path()
    # Importable only after put_on_path.
    from reports.files import write_whole  # noqa: PLC0415
    from reports.formats import FORMATS  # noqa: PLC0415
    from reports.results_file import load  # noqa: PLC0415

    if name not in FORMATS:
        raise UsageError(f"There is no format {name}.", f"Name one of {', '.join(FORMATS)}.")
    run = load(results)
    document = FORMATS[name](run)
    if output:
        write_whole(output, document)
    else:
        click.echo(document, nl=False)
    for trouble in run.troubles:
        click.echo(f"nftconform: {results}: {trouble}", err=True)
