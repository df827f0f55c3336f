"""The queue: each key once, never twice at a time, again after a failure."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from conformance.lab.client import ApiError
from conformance.lab.controllers.workqueue import WorkQueue


@contextlib.asynccontextmanager
async def running(sync: Callable[[str], Awaitable[None]], workers: int = 4) -> AsyncIterator[WorkQueue]:
    queue = WorkQueue("test", sync, workers)
    task = asyncio.create_task(queue.run())
    try:
        async with asyncio.timeout(10):
            yield queue
    finally:
        task.cancel()


def test_keys_added_often_are_worked_on_once_and_again_when_added_meanwhile() -> None:
    async def scenario() -> None:
        calls, gate, entered = Counter[str](), asyncio.Event(), asyncio.Event()
        together = 0

        async def sync(key: str) -> None:
            nonlocal together
            together += 1
            assert together == 1, "one key, many workers: never two at a time"
            calls[key] += 1
            entered.set()
            await gate.wait()
            together -= 1

        async with running(sync) as queue:
            for _ in range(5):
                queue.add("a")
            await entered.wait()
            assert calls == {"a": 1}
            for _ in range(5):
                queue.add("a")
            entered.clear()
            gate.set()
            await entered.wait()
            while not queue.idle:
                await asyncio.sleep(0)
            assert calls == {"a": 2}

    asyncio.run(scenario())


@pytest.mark.parametrize("error", [ApiError(409, "Conflict", "changed"), KeyError("spec"), TypeError("odd")])
def test_a_failure_is_tried_again_and_holds_up_nobody_else(error: Exception) -> None:
    async def scenario() -> None:
        calls, done = Counter[str](), asyncio.Event()

        async def sync(key: str) -> None:
            calls[key] += 1
            if key == "bad" and calls[key] < 4:
                raise error
            if key == "bad":
                done.set()

        async with running(sync, workers=1) as queue:
            queue.add("bad")
            queue.add("good")
            await done.wait()
            assert calls == {"bad": 4, "good": 1}

    asyncio.run(scenario())


def test_the_earlier_of_two_timers_counts_and_an_add_overtakes_both() -> None:
    async def scenario() -> None:
        loop, calls, done = asyncio.get_running_loop(), list[float](), asyncio.Event()

        async def sync(_key: str) -> None:
            calls.append(loop.time())
            done.set()

        async with running(sync) as queue:
            began = loop.time()
            queue.add_after("a", 60)
            queue.add_after("a", 0.05)
            queue.add_after("a", 30)
            await done.wait()
            assert 0.04 <= calls[0] - began < 5
            done.clear()
            queue.add_after("a", 60)
            queue.add("a")
            await done.wait()
            assert len(calls) == 2

    asyncio.run(scenario())
