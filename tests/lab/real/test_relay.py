"""The way in from outside: bytes, ends and refusals pass through it as they are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable

from conformance.lab.real.relay import serve

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Scenario = Callable[[str, int], Awaitable[None]]
_SECONDS = 10.0


def relayed(handler: Handler | None, scenario: Scenario) -> None:
    """Run ``scenario`` with the address of a relay to ``handler`` (None: nobody listens there)."""

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            target = free.getsockname()[1]
        server = await asyncio.start_server(handler, "127.0.0.1", target) if handler is not None else None
        listener = socket.create_server(("127.0.0.1", 0))
        task = asyncio.ensure_future(serve(listener, "127.0.0.1", target))
        try:
            async with asyncio.timeout(_SECONDS):
                await scenario("127.0.0.1", listener.getsockname()[1])
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            if server is not None:
                server.close()

    asyncio.run(run())


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write(b"end")
    writer.close()


def test_what_is_sent_before_the_way_inside_is_open_arrives() -> None:
    async def scenario(host: str, port: int) -> None:
        early = socket.create_connection((host, port))
        early.sendall(b"first, ")  # nothing of the relay runs until the next await
        reader, writer = await asyncio.open_connection(sock=early)
        writer.write_eof()
        assert await reader.read() == b"first, end"
        writer.close()

    relayed(echo, scenario)


def test_everything_arrives_in_order_and_an_end_of_one_direction_leaves_the_other() -> None:
    sent = os.urandom(4_000_000)

    async def scenario(host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)

        async def send() -> None:
            writer.write(sent)
            await writer.drain()
            writer.write_eof()

        sending = asyncio.ensure_future(send())
        assert await reader.read() == sent + b"end"
        await sending
        writer.close()

    relayed(echo, scenario)


def test_a_slow_reader_slows_the_writer_down() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                flooded.append(1)
                writer.write(bytes(1_000_000))
                await writer.drain()

    flooded: list[int] = []

    async def scenario(host: str, port: int) -> None:
        _, writer = await asyncio.open_connection(host, port, limit=1)
        before = -1
        while before != len(flooded):
            before = len(flooded)
            await asyncio.sleep(0.3)
        assert len(flooded) < 40, "the relay keeps what nobody takes"
        writer.transport.abort()

    relayed(flood, scenario)


def test_nobody_listens_inside() -> None:
    async def scenario(host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        assert await reader.read() == b""
        writer.close()

    relayed(None, scenario)


def test_who_hangs_up_outside_is_gone_inside() -> None:
    gone: list[bytes] = []

    async def until_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        with contextlib.suppress(ConnectionError):
            gone.append(await reader.read())
        writer.close()

    async def scenario(host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        assert await reader.readexactly(5) == b"hello"
        writer.close()
        while not gone:
            await asyncio.sleep(0.01)
        assert gone == [b""]

    relayed(until_the_end, scenario)
