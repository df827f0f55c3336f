"""What a worker finds reaches the controller while the worker goes on, and is not lost with it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from conformance.model.result import Result, result
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case
from conformance.results.lines import Line
from fixtures.catalogue import areas
from fixtures.spool import Spool, Tail

CELL = next(cells_of_case(areas()[0].cases[0], "area"))


def test_lines_of_all_workers_arrive_in_their_order_and_half_a_line_does_not(tmp_path: Path) -> None:
    kept: list[Line] = []
    doing, troubles = list[str](), list[str]()
    one, other = Spool(tmp_path, "gw0"), Spool(tmp_path, "gw1")
    tail = Tail(tmp_path, kept.append, doing.append, troubles.append)
    one.keep(result(CELL, Status.UNKNOWN))
    one.keep(result(CELL, Status.PASSED))
    other.keep(replace(result(CELL, Status.FAILED), id="other", message="\N{BULLET}\n"))
    other.doing("dialling\n2 cells")
    other.tell("something\nis left")
    with (tmp_path / "gw1.jsonl").open("a") as file:
        file.write('{"type": "cell", "id": "cut sh')
    tail.stop()
    found = [(line.id, line.status) for line in kept if isinstance(line, Result)]
    assert found == [(CELL.id, Status.UNKNOWN), (CELL.id, Status.PASSED), ("other", Status.FAILED)]
    assert doing == ["gw1: dialling 2 cells"]
    assert troubles == ["something is left"]


def test_a_line_is_seen_while_the_worker_goes_on_and_only_once(tmp_path: Path) -> None:
    seen, kept = threading.Event(), list[Line]()

    def keep(line: Line) -> None:
        kept.append(line)
        seen.set()

    spool, tail = Spool(tmp_path, "gw0"), Tail(tmp_path, keep, lambda _: None, lambda _: None)
    tail.start()
    spool.keep(result(CELL, Status.PASSED))
    assert seen.wait(10)
    spool.keep(result(CELL, Status.FAILED))
    tail.stop()
    assert [line.status for line in kept if isinstance(line, Result)] == [Status.PASSED, Status.FAILED]
