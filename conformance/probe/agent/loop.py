"""One epoll and a heap of points in time."""

from __future__ import annotations

import heapq
import itertools
import select
import time
from collections.abc import Callable

NEVER = float("inf")
clock = time.monotonic


class Loop:
    """Calls back when a file descriptor has events and when a time has come; everything runs in one thread."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.callbacks: dict[int, Callable[[int], None]] = {}
        self.timers: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.wake = NEVER

    def watch(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        """Call ``callback(events)`` for every event of ``fd`` until it is forgotten."""
        self.callbacks[fd] = callback
        self.epoll.register(fd, events)

    def forget(self, fd: int) -> None:
        """No more calls for ``fd``, which is about to be closed: the kernel drops closed descriptors by itself."""
        self.callbacks.pop(fd, None)

    def release(self, fd: int) -> None:
        """No more calls for ``fd``, which stays open."""
        self.forget(fd)
        self.epoll.unregister(fd)

    def at(self, when: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, at or soon after ``when`` on `clock`."""
        heapq.heappush(self.timers, (when, next(self.order), callback))

    def turn(self) -> None:
        """Wait for something to happen, or until ``wake``, and make the calls that are due."""
        soonest = min(self.wake, self.timers[0][0] if self.timers else NEVER)
        self.wake = NEVER
        for fd, events in self.epoll.poll(-1 if soonest == NEVER else max(0.0, soonest - clock())):
            callback = self.callbacks.get(fd)
            if callback:  # an earlier callback of this turn may have closed it
                callback(events)
        now = clock()
        while self.timers and self.timers[0][0] <= now:
            heapq.heappop(self.timers)[2]()
