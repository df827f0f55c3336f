"""``nftconform history``: what many runs say of each case over time."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from conformance.compare.history import history as told_of
from conformance.errors import UsageError
from conformance.kit import put_on_path


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Every case and run, as JSON.")
def history(folder: Path, as_json: bool) -> None:
    """Say of each case in FOLDER's result files since when it fails, whether it wavers, whether it is slower.

    Every *.jsonl in FOLDER and below it is one run of the same cluster. Files that are truncated count as far as they
    go and are named; files that hold no results are named and left out. Slower is said only when chance does not
    explain it.
    """
    put_on_path()
    # Importable only after put_on_path.
    from reports import history as report  # noqa: PLC0415
    from reports.results_file import load  # noqa: PLC0415

    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.", "Name one that holds the results.jsonl of many runs.")
    runs, troubles = [], []
    for path in sorted(found for found in folder.rglob("*.jsonl") if found.is_file()):
        try:
            runs.append(load(path))
        except UsageError as error:
            troubles.append(error.cause)
        else:
            troubles += [f"{path}: {trouble}" for trouble in runs[-1].troubles]
    if not runs:
        raise UsageError(f"{folder} holds no results.", "Name one that holds the results.jsonl of many runs.")
    told = told_of(runs)
    if as_json:
        click.echo(report.as_json(told, troubles), nl=False)
    else:
        report.show(Console(highlight=False), told, troubles)
