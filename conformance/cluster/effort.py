"""This process's own stopwatch and counters: what `Effort` tells of it."""

from __future__ import annotations

import functools
import resource
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from conformance.model.effort import Effort, Phase

P = ParamSpec("P")
R = TypeVar("R")


class Stopwatch:
    """Counts each moment of the main thread for one phase, the innermost; a switch costs a microsecond.

    Other threads work for what the main one waits for, and count no time. Work is counted by all of them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._spent: defaultdict[Phase, float] = defaultdict(float)
        self._work: Counter[str] = Counter()
        self._within: list[Phase] = []
        self._since = clock()
        self._lock = threading.Lock()

    @contextmanager
    def during(self, phase: Phase) -> Iterator[None]:
        """The time of the block, but for that of phases within it, is that of ``phase``."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._turn()
        outside = len(self._within)
        self._within.append(phase)
        try:
            yield
        finally:
            self._turn()
            del self._within[outside:]  # an exception may leave a generator, and what it is in, open for a while

    def moved(self, seconds: float, to: Phase) -> None:
        """So many of the last seconds of the present phase were those of another one, as is known by now."""
        if self._within:
            self._spent[self._within[-1]] -= seconds
            self._spent[to] += seconds

    def count(self, what: str, times: int = 1) -> None:
        """``what`` is one of `Effort`'s counters."""
        with self._lock:
            self._work[what] += times

    def effort(self) -> Effort:
        """Of this process until now."""
        self._turn()
        used = resource.getrusage(resource.RUSAGE_SELF)
        return Effort() + Effort(
            dict(self._spent),
            processes=1,
            cpu=used.ru_utime + used.ru_stime,
            peak=round(used.ru_maxrss / 1024, 1),
            **self._work,
        )

    def _turn(self) -> None:
        now = self._clock()
        if self._within:
            self._spent[self._within[-1]] += now - self._since
        self._since = now


STOPWATCH = Stopwatch()
"""This process's."""
during = STOPWATCH.during


def timed(phase: Phase) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The function, with its time counted for ``phase``; of a generator only its start."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def within(*args: P.args, **kwargs: P.kwargs) -> R:
            with during(phase):
                return function(*args, **kwargs)

        return within

    return decorate
