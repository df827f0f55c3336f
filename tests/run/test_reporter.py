"""The controller's reporter when the folder does not take its files: said once, and nothing that was judged is lost."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from conformance.model.verdict import Status
from fixtures.progress import Progress
from fixtures.results import Reporter
from fixtures.settings import Settings
from tests.reports.runs import HEADER, a_result


def test_a_folder_that_takes_no_file_is_told_once_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl" / "in the way").mkdir(parents=True)
    out, errors = (Console(file=io.StringIO(), width=80) for _ in range(2))
    reporter = Reporter(Settings(output_folder=str(tmp_path)), HEADER, Progress(out), out, errors)
    for number in range(3):
        reporter.keep(a_result(number, Status.PASSED))
    run = reporter._run()
    assert (len(run.results), run.footer and run.footer.complete) == (3, False)
    assert reporter._written(run) == []
    assert isinstance(errors.file, io.StringIO)
    assert errors.file.getvalue().count("cannot be written") == 2
