"""``nftconform diff``: two runs compared, and a gate on what changed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from conformance.cli.plotting import check_installed
from conformance.compare.changes import compare
from conformance.compare.gate import Policy, read, rule
from conformance.errors import UsageError
from conformance.kit import put_on_path
from conformance.spec.mode_differences import table

_DEFAULT = "-"


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--gate",
    is_flag=False,
    flag_value=_DEFAULT,
    metavar="[FILE]",
    help="Exit with 1 when the change blocks, by the policy in FILE.  [default: failures, lost cells, odd changes]",
)
@click.option("--format", "name", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.  [default: stdout]")
def diff(before: Path, after: Path, gate: str | None, name: str, output: Path | None) -> int:
    """Compare the results.jsonl of two runs: of another mode, version, CNI, or night. Or two benches.

    Of benches, only what the noise of both allows to say is called a difference; --gate blocks on what is slower, or
    lost more often.

    Without --gate the exit code is 0 whatever has changed; with it 1 when the gate stays shut.
    """
    put_on_path()
    # Importable only after put_on_path.
    from reports.bench_file import is_bench  # noqa: PLC0415
    from reports.difference import FORMATS  # noqa: PLC0415
    from reports.files import write_whole  # noqa: PLC0415
    from reports.results_file import load  # noqa: PLC0415

    if is_bench(before) and is_bench(after):
        return _benches(before, after, gate, name, output)
    policy = None if gate is None else _policy(gate)
    comparison = compare(load(before), load(after), table())
    ruling = rule(comparison, policy, date.today()) if policy else None
    document = FORMATS[name](comparison, ruling)
    if output:
        write_whole(output, document.encode())
    else:
        click.echo(document, nl=False)
    return 0 if ruling is None or ruling.passes else 1


def _benches(before: Path, after: Path, gate: str | None, name: str, output: Path | None) -> int:
    check_installed()
    from conformance.measured.comparing import compare as compared  # noqa: PLC0415  it needs what was just looked for
    from reports.bench_difference import FORMATS  # noqa: PLC0415
    from reports.bench_file import load  # noqa: PLC0415
    from reports.files import write_whole  # noqa: PLC0415

    if gate not in (None, _DEFAULT):
        raise UsageError("The gate of benches has no policy.", "Give --gate without a file.")
    comparison = compared(load(before), load(after))
    document = FORMATS[name](comparison)
    if output:
        write_whole(output, document.encode())
    else:
        click.echo(document, nl=False)
    return 1 if gate and comparison.worse else 0


def _policy(gate: str) -> Policy:
    if gate == _DEFAULT:
        return Policy()
    try:
        text = Path(gate).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The policy {gate} cannot be read: {error}.", "Name a TOML file.") from error
    return read(text, gate, [one.id for one in table()])
