"""Keys waiting to be brought in order: each at most once in the queue, never worked on twice at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from conformance.lab.client import ApiError, backoff

_log = logging.getLogger(__name__)
_FIRST_RETRY, _LAST_RETRY = 0.01, 5.0


class WorkQueue:
    """Calls ``sync(key)`` for every key added, again when it was added meanwhile, and again, later, when it failed.

    A failure is an ``ApiError``, or an object so odd that reading it failed: neither may stop the others' work.
    """

    def __init__(self, name: str, sync: Callable[[str], Awaitable[None]], workers: int = 4) -> None:
        self._name = name
        self._sync = sync
        self._workers = workers
        self._waiting: dict[str, None] = {}  # a set in order of arrival
        self._working: set[str] = set()
        self._failures: dict[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._wake = asyncio.Event()

    def add(self, key: str) -> None:
        """Have ``key`` worked on soon."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._waiting[key] = None
        self._wake.set()

    def add_after(self, key: str, seconds: float) -> None:
        """Have ``key`` worked on in ``seconds``, or sooner if it is added or was to come sooner."""
        due = asyncio.get_running_loop().time() + seconds
        timer = self._timers.get(key)
        if key in self._waiting or (timer is not None and timer.when() <= due):
            return
        if timer is not None:
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_at(due, self.add, key)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being worked on (timers apart)."""
        return not self._waiting and not self._working

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = next((k for k in self._waiting if k not in self._working), None)
            if key is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            del self._waiting[key]
            self._working.add(key)
            try:
                await self._attempt(key)
            finally:
                self._working.discard(key)
                self._wake.set()

    async def _attempt(self, key: str) -> None:
        try:
            await self._sync(key)
        except ApiError as error:
            self._retry(key, error)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            _log.exception("%s: %s cannot be brought in order", self._name, key)
            self._retry(key, error)
        else:
            self._failures.pop(key, None)

    def _retry(self, key: str, error: Exception) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        level = logging.WARNING if failures in (5, 20) else logging.DEBUG
        _log.log(level, "%s: %s failed %d times: %s", self._name, key, failures, error)
        self.add_after(key, backoff(failures, _FIRST_RETRY, _LAST_RETRY))
