"""``nftconform compatibility``: one or more runs as verdicts on the network plugins that they were made with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.compatibility.verdict import Verdict, Word, verdict
from conformance.errors import UsageError
from conformance.kit import put_on_path
from conformance.preflight.components import components
from conformance.preflight.subject import Subject
from conformance.spec import interplay

if TYPE_CHECKING:
    from conformance.results.run import Run

_CODES = {Word.COMPATIBLE: 0, Word.INCOMPATIBLE: 1, Word.UNDECIDED: 2}
CNI = "--cni"
"""The option of a lab's run whose value names its plugin best."""


@click.command()
@click.argument("results", nargs=-1, required=True, metavar="[NAME=]RESULTS...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html", "json"]),
    default="text",
    show_default=True,
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.  [default: stdout]")
def compatibility(results: tuple[str, ...], form: str, output: Path | None) -> int:
    """Say of each run in RESULTS whether its network plugin keeps kube-proxy's promises, and why not.

    RESULTS are results.jsonl files of runs, each with another plugin or another configuration of it, or folders that
    hold such files. NAME is how the plugin is called; by default as the lab or the cluster calls it.

    Exit codes: 0 all are compatible, 1 one is not, 2 none is known not to be, but not everything could be asked.
    """
    put_on_path()
    # Importable only after put_on_path.
    from reports.compatibility import FORMATS  # noqa: PLC0415
    from reports.files import write_whole  # noqa: PLC0415

    verdicts = judged([named for words in results for named in _named(words)])
    document = FORMATS[form](verdicts)
    if output:
        write_whole(output, document.encode("utf-8", "replace"))
    else:
        click.echo(document, nl=False)
    return exit_code(verdicts)


def judged(named: list[tuple[str, Path]]) -> list[Verdict]:
    """The verdicts on these files, each with a name of its own; an empty name is made up."""
    from reports.catalogues import known  # noqa: PLC0415  importable only after put_on_path
    from reports.results_file import load  # noqa: PLC0415

    runs = [(name, path, load(path)) for name, path in named]
    names = [name or _called(run) or path.parent.name for name, path, run in runs]
    twice = Counter(names)
    verdicts = []
    for called, (_, path, run) in zip(names, runs, strict=True):
        findings = components(Subject(run.facts, interplay.known(), date.today()))
        name = f"{called} ({path})" if twice[called] > 1 else called
        verdicts.append(verdict(name, run, known().get(run.header.kit), tuple(findings)))
    return verdicts


def exit_code(verdicts: list[Verdict]) -> int:
    """That of the worst."""
    words = {one.word for one in verdicts}
    worst = next(word for word in (Word.INCOMPATIBLE, Word.UNDECIDED, Word.COMPATIBLE) if word in words)
    return _CODES[worst]


def _named(words: str) -> Iterator[tuple[str, Path]]:
    name, equals, rest = words.partition("=")
    # A path may hold the sign as well.
    path = Path(rest if equals and not Path(words).exists() else words)
    name = name if path != Path(words) else ""
    if not path.is_dir():
        yield name, path
        return
    found = sorted(file for file in path.rglob("*.jsonl") if file.is_file())
    if not found:
        raise UsageError(f"{path} holds no *.jsonl.", "Name results.jsonl files of runs, or a folder that holds them.")
    if name and len(found) > 1:
        raise UsageError(f"{path} holds {len(found)} results, which cannot all be {name}.", "Name each file.")
    yield from ((name, file) for file in found)


def _called(run: Run) -> str:
    """As the lab calls its profile, or else as the cluster's facts call its plugin."""
    told = (run.facts.cni.value or "", run.facts.cni_version.value or "")
    return run.header.options.get(CNI, "") or " ".join(word for word in told if word)
