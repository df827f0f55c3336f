"""A server that does not answer for a while: how long it is waited for, by all who ask it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.errors import ClusterError

PATIENCE = 60.0
"""Seconds that a server which has answered before is waited for: longer than an API server takes to restart."""
_PARTING = 5.0
_SHORTEST, _LONGEST = 0.25, 5.0  # seconds between two attempts, doubled each time


class Outage:
    """What all requests to one server know of its absence; thread-safe.

    Whoever is not answered waits and asks again, for ``patience`` seconds since the first request that was not. A
    server that has been given up is asked again at most every five seconds; meanwhile everybody else is told at once.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.hurrying = False
        self._changed = threading.Condition()
        self._answered = 0.0
        self._since: float | None = None
        self._last: tuple[float, ClusterError] | None = None

    def check(self) -> None:
        """Raise what became of the last request to a server that has been given up a moment ago."""
        with self._changed:
            if self._last is not None and time.monotonic() - self._last[0] < _LONGEST:
                raise ClusterError(self._last[1].cause, self._last[1].hint)

    def over(self) -> None:
        """The server has answered: whoever waits may ask at once."""
        with self._changed:
            self._answered = time.monotonic()
            self._since = self._last = None
            self._changed.notify_all()

    def hurry(self) -> None:
        """Nobody waits for long any more, now and from now on: the run is to end."""
        with self._changed:
            self.hurrying = True
            self._patience = min(self._patience, _PARTING)
            self._changed.notify_all()

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """`hurry` when the block is interrupted: what it has started is waited for behind it."""
        try:
            yield
        except KeyboardInterrupt:
            self.hurry()
            raise

    def wait(self, first: float, began: float, attempt: int, trouble: ClusterError) -> bool:
        """Whether to ask again, after a pause: attempt number ``attempt`` (0, 1, ...) was not answered.

        ``first`` and ``began`` are when the request was first made, and last, by the monotonic clock.
        """
        pause = min(_SHORTEST * 2 ** min(attempt, 8), _LONGEST)
        with self._changed:
            if self._since is None:
                self._since = max(began, self._answered)
            if self._left(first) <= 0:
                self._last = time.monotonic(), trouble
                return False
            self._changed.wait(min(pause, self._left(first)))
        return True

    def _left(self, first: float) -> float:
        since = first if self._since is None else min(first, self._since)
        return since + self._patience - time.monotonic()
