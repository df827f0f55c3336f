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
        self._open: asyncio.Event
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._port = 0
        self.accepted = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self.mend()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()
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

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _mend(self) -> None:
        if not hasattr(self, "_open"):
            self._open = asyncio.Event()
        self._open.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._taken, "127.0.0.1", self._port, backlog=256)
            self._port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        for writer in self._ends:
            sock: socket.socket = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        self._ends.clear()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _stall(self) -> None:
        self._open.clear()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._ends.add(writer)
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._to)
            self._ends.add(far_writer)
            await asyncio.gather(self._relay(reader, far_writer), self._relay(far_reader, writer))
        writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
