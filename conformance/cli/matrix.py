"""``nftconform lab matrix``: a run on every pod network that the kit brings, and the table of them all."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance import __version__
from conformance.cli.cni import folder
from conformance.cli.compatibility import judged
from conformance.compatibility.foretold import Foretold, surprises
from conformance.errors import LabError, UsageError
from conformance.kit import put_on_path

if TYPE_CHECKING:
    from conformance.lab.cni.profile import Profile

_CODES = (0, 1, 2)
"""Of a run that came to an end."""


@click.command()
@click.option("--cni", "names", multiple=True, metavar="NAME", help="Only this network of `lab cni`; may be repeated.")
@click.option("--case", "cases", multiple=True, metavar="ID", help="Only this case or cell; may be repeated.")
@click.option("-k", "expression", metavar="EXPR", help="Only cells whose IDs match, as in pytest.")
@click.option(
    "--trust", type=click.IntRange(0), metavar="N", help="As with `run`: 1 is quicker where much fails.  [default: 40]"
)
@click.option(
    "--patience", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="As with `run`.  [default: 60]"
)
@click.option("--again", is_flag=True, help="Make runs again that are there.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports/out/matrix"),
    show_default=True,
    help="For the runs, each in a folder of its network's name.",
)
def matrix(
    names: tuple[str, ...],
    cases: tuple[str, ...],
    expression: str | None,
    trust: int | None,
    patience: float | None,
    again: bool,
    output: Path,
) -> int:
    """Run the kit on every pod network of `lab cni`, one after the other, and print what each comes to.

    A run of the same kit that is there already, whole and of the same cases, is not made again: so what was
    interrupted goes on. `nftconform compatibility` makes other forms of the table from the same folder.

    Exit codes: 0 every network does as its description says, 1 one does not, or comes to no run.
    """
    put_on_path()
    # Importable only after put_on_path, or only where a lab can be.
    from rich.console import Console  # noqa: PLC0415

    from conformance.lab.cni.profile import profiles  # noqa: PLC0415
    from reports.compatibility import show  # noqa: PLC0415

    every = {one.name: one for one in profiles(folder())}
    if unknown := [name for name in names if name not in every]:
        raise UsageError(f"There is no network {unknown[0]}.", f"Name some of {', '.join(every)}.")
    chosen = [every[name] for name in names] or list(every.values())
    narrowed = [word for case in cases for word in ("--case", case)] + (["-k", expression] if expression else [])
    given = {"--trust": trust, "--patience": patience}
    options = [word for name, value in given.items() if value is not None for word in (name, str(value))]
    files, said = [], {}
    for number, profile in enumerate(chosen, 1):
        click.echo(f"{number} of {len(chosen)}: {profile.name}: ", nl=False)
        try:
            file = _run(profile.name, narrowed, options, output.resolve() / profile.name, again=again)
            files.append((profile.name, file))
        except LabError as error:
            # The others are worth their runs all the same.
            said[profile.name] = [error.cause, error.hint]
            click.echo("no run")
    verdicts = judged(files)
    click.echo()
    show(Console(highlight=False), verdicts)
    click.echo()
    said |= {verdict.name: list(surprises(verdict, _foretold(every[verdict.name]))) for verdict in verdicts}
    for profile in chosen:
        click.echo(f"{profile.name}: {' '.join(said[profile.name]) or 'as its description says.'}")
    return 1 if any(said.values()) else 0


def _foretold(profile: Profile) -> Foretold:
    return Foretold(profile.compatible, profile.fails, profile.perhaps, profile.causes)


def _run(name: str, narrowed: Sequence[str], options: Sequence[str], output: Path, *, again: bool) -> Path:
    """The results of a run on that network, made now or there already; ``LabError`` when it comes to none."""
    from conformance.lab.launch.start import environment  # noqa: PLC0415  needs Linux
    from reports.files import RESULTS, check_writable  # noqa: PLC0415  importable only after put_on_path

    results, log = output / RESULTS, output / "run.txt"
    if not again and _there(results, name, narrowed):
        click.echo("is there")
        return results
    check_writable(output)
    command = [sys.executable, "-P", "-m", "conformance.cli", "run", "--lab", "--cni", name, *narrowed, *options]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--output", str(output)], stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment()
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # Of a terminal it has it already, and minds no second one: it writes down what was done, and the lab goes.
            process.terminate()
            process.wait()
            raise
    if code not in _CODES:
        said = log.read_text(errors="replace").strip().splitlines()
        last = said[-1].removeprefix("nftconform: ") if said else "it said nothing."
        raise LabError(f"The run on {name} ended with {code}: {last}", f"See {log}.")
    click.echo(("conformant", "failures", "partial")[code])
    return results


def _there(results: Path, name: str, narrowed: Sequence[str]) -> bool:
    """Whether that very run is there, whole."""
    from reports.results_file import load  # noqa: PLC0415  importable only after put_on_path

    if not results.is_file():
        return False
    try:
        run = load(results)
    except UsageError:
        return False
    options = run.header.options
    asked = [word for case in shlex.split(options.get("--case", "")) for word in ("--case", case)]
    asked += ["-k", options["-k"]] if "-k" in options else []
    whole = run.footer is not None and run.footer.complete
    return whole and run.header.kit == __version__ and options.get("--cni") == name and asked == list(narrowed)
