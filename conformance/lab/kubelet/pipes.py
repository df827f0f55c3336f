"""Non-blocking file descriptors in asyncio without buffers: what nobody takes yet waits in the kernel's pipe."""

from __future__ import annotations

import asyncio
import os

CHUNK = 65536


async def readable(fd: int) -> None:
    """Wait until ``fd`` can be read (or is at its end)."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(fd, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(fd)


async def writable(fd: int) -> None:
    """Wait until ``fd`` takes more (or nobody reads it any more)."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(fd, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_writer(fd)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def read(fd: int) -> bytes:
    """The next bytes; empty at the end, which a terminal reports as an I/O error."""
    while True:
        try:
            return os.read(fd, CHUNK)
        except BlockingIOError:
            await readable(fd)
        except OSError:
            return b""


async def write(fd: int, data: bytes) -> bool:
    """Write all of ``data``; False when nobody reads it any more."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            await writable(fd)
        except OSError:
            return False
    return True


def pipe_from() -> tuple[int, int]:
    """A pipe whose reading end is ours (non-blocking) and whose writing end is a child's."""
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(ours, False)
    return ours, theirs


def pipe_to() -> tuple[int, int]:
    """A pipe whose writing end is ours (non-blocking) and whose reading end is a child's."""
    theirs, ours = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(ours, False)
    return ours, theirs
