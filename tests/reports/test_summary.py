"""The end of a run, as it is printed."""

from __future__ import annotations

import io

from rich.console import Console

from conformance.judge.conclusion import Conclusion
from conformance.model.verdict import Status
from reports import summary
from tests.reports.test_junit import a_result


def shown(*statuses: Status, block: str = "", conclusion: Conclusion = Conclusion.FAILED) -> str:
    console = Console(file=io.StringIO(), width=80)
    results = [a_result(i, s, block=block, message=f"message {i}") for i, s in enumerate(statuses)]
    summary.show(console, results, conclusion, 12.3, [])
    out = console.file
    assert isinstance(out, io.StringIO)
    return out.getvalue()


def test_columns_appear_for_what_there_is() -> None:
    text = shown(Status.PASSED, Status.FAILED)
    head = next(line for line in text.splitlines() if line.startswith("area"))
    assert head.split() == ["area", "cells", "passed", "failed"]
    assert "failed: 2 cells judged in 12.3 s" in text


def test_what_was_not_judged_is_told_with_its_reason_and_an_unknown_by_its_cell() -> None:
    text = shown(Status.NOT_APPLICABLE, Status.RECORDED, Status.UNKNOWN, conclusion=Conclusion.PARTIAL)
    assert "not applicable, 1 cells: message 0" in text
    assert "recorded, 1 cells: message 1" in text
    assert "NP-02.ipv4-tcp: message 2" in text
    assert "partial: 0 cells judged" in text


def test_ten_failures_are_told_and_the_rest_counted() -> None:
    text = shown(*[Status.FAILED] * 13, block="block [bold]not markup[/bold]")
    assert text.count("block [bold]not markup[/bold]") == summary.MOST_BLOCKS
    assert "... and 3 more, in the JUnit file" in text


def test_cells_that_lack_an_answer_for_one_reason_are_told_together() -> None:
    console = Console(file=io.StringIO(), width=80)
    reasons = ["no pods"] * 12 + [f"reason {i}" for i in range(11)]
    results = [a_result(i, Status.UNKNOWN, message=reason) for i, reason in enumerate(reasons)]
    summary.show(console, results, Conclusion.PARTIAL, 12.3, [], missing=7)
    out = console.file
    assert isinstance(out, io.StringIO)
    text = out.getvalue()
    assert text.count("no pods") == 1
    assert f"{results[0].id} and 11 more: no pods" in text
    assert f"{results[12].id}: reason 0" in text
    assert "... and 2 more, in the JUnit file" in text
    assert "partial: 0 cells judged in 12.3 s, 7 never asked" in text
