"""The way between the kit and an API server, as a TCP relay that a test can cut, stall or close."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Cable:
    """Relays bytes as they are (TLS goes through) from a port of its own to the server that ``kubeconfig`` names."""

    def __init__(self, kubeconfig: Path) -> None:
        self._content: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
        url = urlsplit(self._content["clusters"][0]["cluster"]["server"])
        self._to = (str(url.hostname), int(url.port or 443))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cable")
        self._passing = asyncio.Event()
        self._answering = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._relays: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._port = 0
        self.taken = 0
        """Connections so far."""

    def __enter__(self) -> Self:
        self._thread.start()
        self.mend()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        self._do(self._ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def kubeconfig(self, path: Path, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
        """A kubeconfig that leads through the cable."""
        content = yaml.safe_load(yaml.safe_dump(self._content))
        content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self._port}"
        change(content)
        path.write_text(yaml.safe_dump(content))
        return path

    def mend(self) -> None:
        """Connections are taken and relayed (again)."""
        self._do(self._mend())

    def cut(self) -> None:
        """All connections are reset; new ones are taken."""
        self._do(self._cut())

    def close(self) -> None:
        """All connections are reset and new ones refused, as where a server's process has ended."""
        self._do(self._close())

    def stall(self) -> None:
        """Nothing passes any more, in either direction, and nobody is told: packets are lost somewhere."""
        self._do(self._stall())

    def mute(self) -> None:
        """What is asked still gets there, and no answer comes back."""
        self._do(self._mute())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _mend(self) -> None:
        self._passing.set()
        self._answering.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._taken, "127.0.0.1", self._port, backlog=256)
            self._port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        for relay, ends in self._relays.items():
            for writer in ends:
                sock: socket.socket = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
            relay.cancel()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _stall(self) -> None:
        self._passing.clear()

    async def _mute(self) -> None:
        self._answering.clear()

    async def _ended(self) -> None:
        await asyncio.gather(*self._relays, return_exceptions=True)

    def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        relay = asyncio.ensure_future(self._relayed(reader, writer))
        self._relays[relay] = [writer]
        relay.add_done_callback(self._relays.pop)

    async def _relayed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._to)
            task = asyncio.current_task()
            assert task
            self._relays[task].append(far_writer)
            await asyncio.gather(
                self._pump(reader, far_writer, self._passing),
                self._pump(far_reader, writer, self._passing, self._answering),
            )

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *gates: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                for gate in gates:
                    await gate.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
