"""A run as its file tells it: whole, truncated, or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.errors import UsageError
from conformance.judge.conclusion import Conclusion
from conformance.model.facts import Fact, Facts
from conformance.model.verdict import Status
from conformance.results.codec import dump
from conformance.results.lines import Learned, Line, Objects
from conformance.results.run import Run, read
from reports import results_file
from reports.results_file import Journal, load
from tests.reports.runs import HEADER, a_result, a_run

RUN = a_run([a_result(1, Status.PASSED), a_result(2, Status.PASSED)])


def texts(*lines: Line) -> list[str]:
    return [f"{dump(line)}\n" for line in lines]


def test_a_whole_run_comes_back_as_it_was() -> None:
    run = read(texts(*RUN.lines), "r")
    assert run == RUN
    assert (run.conclusion, run.troubles, run.missing) == (Conclusion.CONFORMANT, (), 0)


@pytest.mark.parametrize("cut", range(1, 80, 13))
def test_a_file_that_was_cut_short_is_used_as_far_as_it_goes(cut: int) -> None:
    whole = "".join(texts(*RUN.lines))
    run = read(whole[:-cut].splitlines(keepends=True), "r")
    assert run.results == RUN.results
    if cut == 1:
        assert run.footer, "a footer without its newline is whole"
        return
    assert (run.footer, run.conclusion) == (None, Conclusion.PARTIAL)
    assert run.troubles == ("The file is truncated: it has 2 cells and no footer.",)


def test_of_what_is_said_again_the_last_word_counts() -> None:
    first, last = a_result(1, Status.UNKNOWN), a_result(1, Status.FAILED)
    facts = Facts(version=Fact("v1.37.0", "later"))
    run = read(texts(HEADER, first, Learned(facts), last), "r")
    assert [one.status for one in run.results] == [Status.FAILED]
    assert run.facts == facts
    assert run.header.facts != facts


def test_a_footer_that_says_other_than_the_cells_is_not_believed() -> None:
    assert RUN.footer
    lie = replace(RUN.footer, counts={Status.PASSED: 3}, conclusion=Conclusion.CONFORMANT)
    run = read(texts(HEADER, a_result(1, Status.FAILED), lie), "r")
    assert run.conclusion is Conclusion.FAILED
    assert run.troubles == (
        "The footer counts other cells than there are.",
        "The footer says conformant; the cells come to failed.",
    )


def test_fewer_cells_than_planned_are_never_conformant() -> None:
    run = read(texts(*a_run([a_result(1, Status.PASSED)], missing=2).lines), "r")
    assert (run.conclusion, run.missing, run.troubles) == (Conclusion.PARTIAL, 2, ())


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "is empty"),
        (["\n"], "line 1: it is no JSON"),
        (['{"type": "header"'], "line 1: it is no JSON"),
        (texts(a_result(1, Status.PASSED)), "first line is no header"),
        (texts(replace(HEADER, schema=2)), "schema 2, written by nftconform 0.1.0; this kit reads 1"),
        (texts(HEADER, HEADER), "more than one run"),
        (texts(*RUN.lines, a_result(3, Status.PASSED)), "more than its footer ends: line 5"),
        ([*texts(HEADER), '{"type": "cell"}\n', *texts(a_result(1, Status.PASSED))], "line 2: cell has no id"),
    ],
)
def test_what_is_no_run_gets_one_sentence(lines: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        read(lines, "r")


def test_what_grows_can_be_read_and_in_the_end_has_each_cell_once(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text("an older run's")
    journal = Journal(tmp_path, HEADER)
    thing = Objects("o1", ({"kind": "Service"},))
    for line in (thing, a_result(1, Status.UNKNOWN), a_result(1, Status.PASSED)):
        journal.write(line)
    grown = load(journal.path)
    assert (len(grown.results), grown.objects, grown.footer) == (1, {"o1": thing}, None)
    assert len(journal.path.read_text().splitlines()) == 4
    run = a_run(grown.results)
    journal.finish(Run(run.header, run.facts, run.results, grown.objects, run.footer))
    assert [line.split('"')[3] for line in journal.path.read_text().splitlines()] == [
        *("header", "objects", "cell", "footer")
    ]
    assert load(journal.path).troubles == ()


def test_a_journal_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.jsonl").symlink_to(tmp_path / "precious")
    Journal(tmp_path / "out", HEADER).write(a_result(1, Status.PASSED))
    assert (tmp_path / "precious").read_text() == "precious"


def test_what_cannot_be_read_gets_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load(tmp_path / "none")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 10)
    with pytest.raises(UsageError, match="no JSON"):
        load(tmp_path / "binary")
    monkeypatch.setattr(results_file, "_LONGEST_LINE", 100)
    (tmp_path / "long").write_text("x" * 101)
    with pytest.raises(UsageError, match="longer than any run's"):
        load(tmp_path / "long")
