"""What many Services take: time grows as their number does."""

from __future__ import annotations

import time
from pathlib import Path

from tests.audit.scale import audited, cluster, write

FEW, MANY = 500, 2000
GENEROUS = 2.5  # times more than linear: other work on the machine, and the garbage collector


def test_cost_is_linear(tmp_path: Path) -> None:
    seconds = {}
    for count in (FEW, MANY):
        known, path = cluster(count), write(count, tmp_path / f"{count}.json")
        best = []
        for _ in range(2):
            start = time.process_time()
            assert audited(path, known) == ()
            best.append(time.process_time() - start)
        seconds[count] = min(best)
    print(f"{FEW} Services {seconds[FEW]:.2f} s, {MANY} Services {seconds[MANY]:.2f} s")
    assert seconds[MANY] < GENEROUS * seconds[FEW] * MANY / FEW
