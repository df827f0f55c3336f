"""This process's own stopwatch and counters: what `Effort` tells of it."""

from __future__ import annotations

import functools
import resource
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import ParamSpec, TypeVar

from conformance.model.effort import Effort, Phase

P = ParamSpec("P")
R = TypeVar("R")


class Stopwatch:
    """Counts each moment of the main thread for one phase, the innermost; a switch costs two microseconds.

    Of each phase it counts also the processor time of that thread (``processor``): the rest of it was waited for
    others, or for a processor. Other threads work for what the main one waits for, and count no time. Work is counted
    by all of them.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, processor: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock, self._processor = clock, processor
        self._spent: defaultdict[Phase, float] = defaultdict(float)
        self._busy: defaultdict[Phase, float] = defaultdict(float)
        self._work: Counter[str] = Counter()
        self._within: list[Phase] = []
        self._since, self._worked = clock(), processor()
        self._lock = threading.Lock()

    def during(self, phase: Phase) -> AbstractContextManager[None]:
        """The time of the block, but for that of phases within it, is that of ``phase``."""
        main = threading.current_thread() is threading.main_thread()
        return _Within(self, phase) if main else nullcontext()

    def enter(self, phase: Phase) -> int:
        """Count for ``phase`` from now on; what `leave` is told."""
        self._turn()
        self._within.append(phase)
        return len(self._within) - 1

    def leave(self, outside: int) -> None:
        """Count again for what was counted for before, so many phases deep."""
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
            busy=dict(self._busy),
            **self._work,
        )

    def _turn(self) -> None:
        now, worked = self._clock(), self._processor()
        if self._within:
            self._spent[self._within[-1]] += now - self._since
            self._busy[self._within[-1]] += worked - self._worked
        self._since, self._worked = now, worked


class _Within:
    """`Stopwatch.during`: a class, for a generator would take longer to enter than what many of its blocks do."""

    __slots__ = ("_outside", "_phase", "_watch")

    def __init__(self, watch: Stopwatch, phase: Phase) -> None:
        self._watch, self._phase = watch, phase

    def __enter__(self) -> None:
        self._outside = self._watch.enter(self._phase)

    def __exit__(self, *_: object) -> None:
        self._watch.leave(self._outside)


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
