"""Results that stand are not lost with the process that found them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conformance.model.result import result
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case
from fixtures.catalogue import areas
from fixtures.spool import Spool

CELL = next(cells_of_case(areas()[0].cases[0], "area"))


def test_the_last_word_of_any_process_counts_and_half_a_line_does_not(tmp_path: Path) -> None:
    one, other = Spool(tmp_path, "gw0"), Spool(tmp_path, "gw1")
    one.keep(result(CELL, Status.UNKNOWN))
    one.keep(result(CELL, Status.PASSED))
    other.keep(replace(result(CELL, Status.FAILED), id="other"))
    with (tmp_path / "gw1.jsonl").open("a") as file:
        file.write('{"id": "cut sh')
    kept = Spool(tmp_path, "controller").kept()
    assert {identity: r.status for identity, r in kept.items()} == {CELL.id: Status.PASSED, "other": Status.FAILED}
