"""``nftconform verify-report``: whether a conformance report is to be believed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from conformance.certify.report import folder_of
from conformance.certify.verifying import compare, verify
from conformance.kit import put_on_path
from conformance.model.printable import printable


@click.command("verify-report")
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--results", type=click.Path(path_type=Path), help="The results.jsonl, or .jsonl.gz, that it is of.")
def verify_report(report: Path, results: Path | None) -> int:
    """Check REPORT, a conformance report: its form, that it is complete and agrees with itself and with the results.

    Says everything that is wrong with it, a line each. Exits with 0 when nothing is, 1 when something is, and 3 when
    a file cannot be read or holds no results.
    """
    put_on_path()
    # Importable only after put_on_path.
    from reports.catalogues import known  # noqa: PLC0415
    from reports.conformance import load  # noqa: PLC0415
    from reports.results_file import weigh  # noqa: PLC0415

    reading = load(report)
    complaints = list(reading.complaints)
    if reading.report:
        complaints += verify(reading.report, known(), datetime.now(UTC))
        if results:
            held = weigh(results)
            complaints += compare(reading.report, held.run, held.lines, held.sha256, known())
    for complaint in complaints:
        click.echo(printable(complaint))
    if complaints or not reading.report:
        return 1
    told = ", ".join(f"{one.name.value} {one.result.value}" for one in reading.report.profiles)
    click.echo(f"{report}: nothing is wrong with it: {told}. It belongs in {folder_of(reading.report.implementation)}.")
    if not results:
        click.echo("Whether it is what the run came to, only its results show: name them with --results.", err=True)
    return 0
