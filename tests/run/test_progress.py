"""What a person sees while cells are judged: a bar on a terminal, plain lines elsewhere, colours where wanted."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from conformance.model.verdict import Status
from fixtures.progress import Progress
from tests.reports.runs import a_result


def seen(*, terminal: bool, verbose: bool = False) -> str:
    console = Console(file=io.StringIO(), width=80, force_terminal=terminal, highlight=False)
    progress = Progress(console, verbose=verbose)
    progress.start()
    progress.expect(2)
    progress.doing("cases: dialling 2 cells, each of them from a place that has a name of some length")
    progress.doing("cases: dialling 2 cells, each of them from a place that has a name of some length")
    progress.judged(a_result(1, Status.UNKNOWN))
    progress.judged(a_result(1, Status.FAILED))
    progress.stop()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_elsewhere_lines_are_plain_and_few() -> None:
    text = seen(terminal=False)
    assert text == "cases: dialling 2 cells, each of them from a place that has a name of some length\n"


def test_a_terminal_has_a_bar_of_one_line_that_counts_each_cell_once() -> None:
    text = seen(terminal=True)
    assert "1/2" in text
    assert "2/2" not in text
    assert "1 failed" in text


def test_no_color_means_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in seen(terminal=True)


def test_verbose_has_a_line_a_cell() -> None:
    lines = seen(terminal=False, verbose=True).splitlines()
    assert lines[1:] == ["unknown        NP-01.ipv4-tcp", "failed         NP-01.ipv4-tcp"]
