"""``nftconform report``: any report, from the results of a run and nothing else."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.certify.certifying import certify
from conformance.certify.report import Implementation
from conformance.cli.plotting import check_installed
from conformance.errors import UsageError
from conformance.kit import put_on_path

if TYPE_CHECKING:
    from reports.results_file import ResultsFile

CONFORMANCE = "conformance"
PLOTS = "plots"


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "name",
    required=True,
    metavar="FORMAT",
    help="html, junit, markdown, summary, badge or conformance.",
)
@click.option("--output", type=click.Path(path_type=Path), help="The file to write.  [default: stdout]")
@click.option(
    "--organization", default="", help="Who makes what was tested. This and the next with --format conformance only."
)
@click.option("--project", default="", help="Its name.")
@click.option("--url", default="", help="Where it is described.")
@click.option("--version", default="", help="Its version.")
@click.option("--contact", multiple=True, help="Whom to ask: @user, @organization/team, a page; may be given again.")
def report(
    results: Path,
    name: str,
    output: Path | None,
    organization: str,
    project: str,
    url: str,
    version: str,
    contact: tuple[str, ...],
) -> None:
    """Make a report of RESULTS, the results.jsonl of a run, or the bench.jsonl of a bench, whole or truncated.

    A bench has the formats html, markdown and summary, and plots: --output names the folder for those.
    A truncated file is said to be truncated, in the report and on stderr.
    """
    put_on_path()
    # Importable only after put_on_path.
    from reports.bench_file import is_bench  # noqa: PLC0415
    from reports.files import write_whole  # noqa: PLC0415
    from reports.formats import FORMATS  # noqa: PLC0415
    from reports.results_file import weigh  # noqa: PLC0415

    if is_bench(results):
        _bench(results, name, output)
        return
    if name not in (*FORMATS, CONFORMANCE):
        raise UsageError(f"There is no format {name}.", f"Name one of {', '.join((*FORMATS, CONFORMANCE))}.")
    of = _implementation(name, Implementation(organization, project, url, version, contact))
    held = weigh(results)
    document = _conformance(held, of) if of else FORMATS[name](held.run)
    if output:
        write_whole(output, document)
    else:
        click.echo(document, nl=False)
    for trouble in held.run.troubles:
        click.echo(f"nftconform: {results}: {trouble}", err=True)


def _bench(results: Path, name: str, output: Path | None) -> None:
    check_installed()
    from reports import bench  # noqa: PLC0415  it needs what was just looked for
    from reports.bench_file import load  # noqa: PLC0415
    from reports.bench_tables import Numbers  # noqa: PLC0415
    from reports.files import write_whole  # noqa: PLC0415

    if name not in (*bench.FORMATS, PLOTS):
        raise UsageError(f"There is no format {name} of a bench.", f"Name one of {', '.join((*bench.FORMATS, PLOTS))}.")
    measured = load(results)
    numbers = Numbers.of(measured)
    if name == PLOTS:
        if output is None:
            raise UsageError("Plots are several files.", "Name a folder for them with --output.")
        for path in bench.write_pictures(numbers, output):
            click.echo(path)
    elif output:
        write_whole(output, bench.FORMATS[name](numbers))
    else:
        click.echo(bench.FORMATS[name](numbers), nl=False)
    for trouble in measured.troubles:
        click.echo(f"nftconform: {results}: {trouble}", err=True)


def _implementation(name: str, told: Implementation) -> Implementation | None:
    """What the conformance report is of; None with any other format."""
    given = [f.name for f in fields(told) if getattr(told, f.name)]
    if name != CONFORMANCE:
        if given:
            raise UsageError(f"--format {name} does not say --{given[0]}.", "Leave it out.")
        return None
    if missing := [f"--{f.name}" for f in fields(told) if f.name not in given]:
        raise UsageError(
            f"A conformance report needs {', '.join(missing)}.", "docs/certification.md says what each is."
        )
    return told


def _conformance(held: ResultsFile, of: Implementation) -> bytes:
    from reports import conformance  # noqa: PLC0415  importable only after put_on_path
    from reports.catalogues import catalogue_of  # noqa: PLC0415

    now = datetime.now(UTC).isoformat(timespec="seconds")
    document = conformance.document(certify(held.run, held.sha256, catalogue_of(held.run), of, now))
    if complaints := conformance.read(document).complaints:
        raise UsageError(complaints[0], "docs/certification.md says what a report holds.")
    return document
