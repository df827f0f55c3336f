"""Runs one piece of work as soon as asked, but never more often than allowed, and again after failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Runner:
    """``work`` returns the seconds after which it wants to run again at the latest; times in seconds.

    Requests made while it runs, or within ``min_interval`` after, are served by one further run.
    """

    def __init__(self, work: Callable[[], Awaitable[float]], min_interval: float) -> None:
        self._work = work
        self._min_interval = min_interval
        self._wanted = asyncio.Event()

    def request(self) -> None:
        """Run soon."""
        self._wanted.set()

    async def loop(self) -> None:
        """Run whenever due, the first time at once; ends only by cancellation."""
        self._wanted.set()
        latest: float | None = None
        while True:
            try:
                async with asyncio.timeout(latest):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()
            latest = await self._work()
            await asyncio.sleep(self._min_interval)
