"""The end of a run, as it is printed."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from conformance.model.result import Result
from conformance.model.verdict import Status
from conformance.results.run import Run
from reports import summary
from tests.reports.runs import a_result, a_run, an_account


def printed(run: Run, *written: Path) -> str:
    console = Console(file=io.StringIO(), width=80)
    summary.show(console, run, written)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def shown(*statuses: Status) -> str:
    return printed(a_run(a_result(i, s, message=f"message {i}") for i, s in enumerate(statuses)))


def test_columns_appear_for_what_there_is() -> None:
    text = shown(Status.PASSED, Status.FAILED)
    head = next(line for line in text.splitlines() if line.startswith("area"))
    assert head.split() == ["area", "cells", "passed", "failed"]
    assert "failed: 2 cells judged in 12.3 s" in text


def test_what_was_not_judged_is_told_with_its_reason_and_an_unknown_by_its_cell() -> None:
    text = shown(Status.NOT_APPLICABLE, Status.RECORDED, Status.UNKNOWN)
    assert "not applicable, 1 cells: message 0" in text
    assert "recorded, 1 cells: message 1" in text
    assert "NP-02.ipv4-tcp: message 2" in text
    assert "partial: 0 cells judged" in text


def test_ten_failures_are_told_and_the_rest_counted() -> None:
    text = printed(a_run(a_result(i, Status.FAILED, account=an_account("[bold]no markup[/bold]")) for i in range(13)))
    assert text.count("[bold]no markup[/bold]") == summary.MOST_BLOCKS
    assert "... and 3 more, in the reports" in text


def test_an_area_is_no_markup() -> None:
    assert "[/x]" in printed(a_run([a_result(1, Status.PASSED, area="[/x]")]))


def test_cells_that_lack_an_answer_for_one_reason_are_told_together() -> None:
    reasons = ["no pods"] * 12 + [f"reason {i}" for i in range(11)]
    results = [a_result(i, Status.UNKNOWN, message=reason) for i, reason in enumerate(reasons)]
    text = printed(a_run(results, missing=7))
    assert text.count("no pods") == 1
    assert f"{results[0].id} and 11 more: no pods" in text
    assert f"{results[12].id}: reason 0" in text
    assert "... and 2 more, in the reports" in text
    assert "partial: 0 cells judged in 12.3 s, 7 never asked" in text


def many() -> Iterable[Result]:
    """Twenty areas, each with every status, long names and long reasons."""
    for number in range(20):
        for i, status in enumerate(Status):
            one = a_result(
                10 * number + i, status, area=f"area-{number:02}-{'x' * 60}", message=f"{i} {'reason ' * 30}"
            )
            yield replace(one, promise="A promise that goes on " * 9, message=f"{number} {one.message}")


def test_the_summary_fits_a_screen_however_much_is_wrong() -> None:
    text = printed(a_run(many(), missing=3), Path("out/results.jsonl"), Path("out/junit.xml"), Path("out/report.html"))
    screen = text[text.index("\narea ") :].rstrip("\n").split("\n")
    assert len(screen) <= 24
    assert max(map(len, screen)) <= 80
    assert screen[-4].startswith("failed: 60 cells judged in 12.3 s, 3 never asked")
    assert sum("never asked" in line for line in screen) == 1


def test_who_wants_all_of_it_gets_all_of_it() -> None:
    console = Console(file=io.StringIO(), width=80)
    run = a_run(many())
    summary.show(console, run, whole=True)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.count("\narea-") == 20
    assert "more" not in text.replace("and more", "")


def test_a_truncated_run_is_partial_and_says_why() -> None:
    run = a_run([a_result(1, Status.PASSED)])
    text = printed(Run(run.header, run.facts, run.results))
    assert "The file is truncated: it has 1 cells and no footer." in text
    assert "partial: 1 cells judged" in text
