"""Processor time and memory of a piece of work in this process."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weight:
    """``seconds`` of processor time; ``mib`` at most of what Python allocated meanwhile."""

    seconds: float
    mib: float


def weighed(work: Callable[[], object]) -> Weight:
    """Done twice: once against the clock, once with every allocation counted, which takes several times as long."""
    seconds = timed(work)
    gc.collect()
    tracemalloc.start()
    try:
        work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Weight(seconds, peak / 2**20)


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor time of this process: other work on the machine does not count."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began
