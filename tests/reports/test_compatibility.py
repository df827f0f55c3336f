"""The table of plugins by area: right, complete, and deaf to whatever a run says."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import lxml.html
import pytest
from click.testing import CliRunner
from rich.console import Console

from conformance.cli.compatibility import compatibility
from conformance.compatibility.verdict import Verdict, verdict
from conformance.errors import UsageError
from conformance.model.verdict import Status
from conformance.results.codec import dump
from reports import page, summary
from reports.compatibility import FORMATS, show
from tests.compatibility.recorded import FOLDER, recorded
from tests.reports.hostile import HARMLESS, HOSTILE, a_run_of
from tests.reports.runs import a_result, a_run

BROKEN = "\N{MULTIPLICATION X}"
SCHEMA = json.loads((Path(__file__).parents[2] / "reports" / "compatibility.schema.json").read_text())


def some() -> list[Verdict]:
    return [verdict(name, recorded(name), None) for name in ("healthy", "no-hairpin", "two-causes")]


def printed(verdicts: Sequence[Verdict], width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    show(console, verdicts)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_the_table_says_what_holds_and_what_does_not() -> None:
    lines = printed(some())
    assert next(line.split() for line in lines if line.startswith("clusterip")) == [
        "clusterip",
        "7",
        f"{BROKEN}1/7",
        f"{BROKEN}4/7",
    ]
    assert next(line.split() for line in lines if line.startswith("affinity")) == ["affinity", "1", "1", "1"]
    text = "\n".join(lines)
    assert "probable cause: no hairpin: a pod is not reached by itself" in text
    assert "node node-b only (explains 72 of 76 failed cells)" in text
    assert "64 of the 64 cells that it would break fail so, and 8 more that it may break" in text


def test_what_no_cause_explains_is_said() -> None:
    text = "\n".join(printed([verdict("x", recorded("one-family-missing"), None)]))
    assert "of 81 failed cells are not explained: CTK-0" in text


def test_plugins_that_do_not_fit_beside_each_other_are_in_tables_of_their_own() -> None:
    verdicts = [verdict(f"plugin-number-{i:02}", recorded("healthy"), None) for i in range(12)]
    lines = printed(verdicts)
    assert sum(line.startswith("area ") for line in lines) == 4
    assert all(len(line) <= 80 for line in lines if line.startswith(("area", "clusterip")))
    assert {name for line in lines if line.startswith("area") for name in line.split()[1:]} == {
        one.name for one in verdicts
    }


def test_json_is_of_its_schema_and_whole() -> None:
    plain = json.loads(FORMATS["json"](some()))
    jsonschema.validate(plain, SCHEMA)
    _, hairpin, two = plain["plugins"]
    assert hairpin["causes"][0]["explains"] == hairpin["failed"]
    assert two["causes"][0]["only"] == {"node": ["node-b"]}
    assert len(two["failed"]) == sum(len(cause["explains"]) for cause in two["causes"])


def test_the_page_needs_nothing_and_has_the_table() -> None:
    found: Any = lxml.html.document_fromstring(FORMATS["html"](some()))
    assert not found.xpath("//script | //link | //img")
    text = " ".join("".join(found.xpath("//main//text()")).split())
    assert f"{BROKEN}1/7" in text
    assert "What a pod sends to a Service" in text


@pytest.mark.parametrize("form", ["html", "markdown", "text", "json"])
def test_hostile_text_is_only_text(form: str) -> None:
    documents = [FORMATS[form]([verdict(text, a_run_of(text), None)]) for text in (HARMLESS, HOSTILE)]
    assert not set(documents[1]) & set("\x00\x1b\u202e\u2028")
    if form == "html":
        tags = [[e.tag for e in lxml.html.document_fromstring(one).iter()] for one in documents]
        assert tags[0] == tags[1]
    if form == "markdown":
        assert "<script" not in documents[1]


def test_markdown_shows_the_cause_of_many_broken_promises_first_and_them_when_asked() -> None:
    (broken,) = [one for one in some() if one.name == "two-causes"]
    many = replace(broken, promises={f"area-{number}": broken.broken for number in range(21)})
    few, folded = FORMATS["markdown"]([broken]), FORMATS["markdown"]([many])
    assert "<details>" not in few
    assert folded.index("Probable cause") < folded.index("<details>") < folded.index("is broken (")
    assert folded.count(" is broken (") == len(many.broken)


def test_a_name_is_no_markup_of_the_terminals() -> None:
    run = a_run([replace(a_result(1, Status.PASSED), area="[/x]")])
    text = "\n".join(printed([verdict("[red]y[/red]", run, None)]))
    assert text.count("[red]y[/red]") == 2
    assert "[/x]" in text


def test_a_failed_runs_own_reports_name_the_cause() -> None:
    run = recorded("no-hairpin")
    console = Console(file=io.StringIO(), width=80)
    summary.show(console, run)
    assert isinstance(console.file, io.StringIO)
    assert "probable cause of 4/4: no hairpin" in console.file.getvalue()
    assert "## Probable cause" in page.document(run)
    assert "Probable cause" not in page.document(recorded("healthy"))
    assert "Probable cause" not in page.document(a_run([a_result(1, Status.FAILED)]))


def called(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(compatibility, arguments, standalone_mode=False)
    if isinstance(done.exception, UsageError):
        raise done.exception
    assert done.exception is None, done.exception
    return done.return_value, done.output


def test_the_command_names_each_run_and_exits_with_the_worst(tmp_path: Path) -> None:
    healthy, hairpin = FOLDER / "healthy.jsonl.gz", FOLDER / "no-hairpin.jsonl.gz"
    code, text = called(f"mine={healthy}", str(hairpin))
    assert code == 1
    assert re.search(r"^mine +compatible +28 ", text, re.MULTILINE)
    assert "more promises of the kit were not in this run" in text
    assert called(str(healthy))[0] == 0
    unknown = tmp_path / "unknown" / "results.jsonl"
    unknown.parent.mkdir()
    unknown.write_text("".join(f"{dump(line)}\n" for line in a_run([a_result(1, Status.UNKNOWN)]).lines))
    code, text = called(str(tmp_path))
    assert code == 2
    assert re.search(r"^unknown +undecided", text, re.MULTILINE)
    code, _ = called(str(hairpin), "--format", "json", "--output", str(tmp_path / "out.json"))
    assert json.loads((tmp_path / "out.json").read_text())["plugins"][0]["verdict"] == "incompatible"


def test_names_that_are_there_twice_are_told_apart() -> None:
    file = FOLDER / "healthy.jsonl.gz"
    text = called(f"x={file}", f"x={file}")[1]
    assert f"x ({file})" in "".join(text.split("\n"))


@pytest.mark.parametrize("arguments", [("nothing.jsonl",), ("x={folder}",), ("{empty}",)])
def test_what_cannot_be_read_is_told_in_a_sentence(arguments: tuple[str, ...], tmp_path: Path) -> None:
    for name in ("one.jsonl", "two.jsonl"):
        path = tmp_path / "folder" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    empty = tmp_path / "empty"
    empty.mkdir()
    filled = [one.format(folder=tmp_path / "folder", empty=empty) for one in arguments]
    with pytest.raises(UsageError):
        called(*filled)
