"""From a socket that was opened outside the lab to an address inside it, byte by byte.

kube-apiserver opens its own socket, in the lab; the one that clients outside dial was opened before the lab had a
network of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
from typing import cast

_log = logging.getLogger(__name__)


class _Side(asyncio.Protocol):
    """One of a pair of connections; what comes in goes out at the other, which slows us down when it must."""

    def __init__(self, other: _Side | None = None) -> None:
        self.other = other
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self.other is not None:
            self.other.other = self

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """The other direction goes on."""
        if self.other is not None and self.other.transport is not None and self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()


class _Outside(_Side):
    """A connection from outside, which dials inside before it reads."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._target = host, port
        self._dial: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # Not at once: up to Python 3.11.3 a transport starts reading after this call, paused or not.
        asyncio.get_running_loop().call_soon(cast(asyncio.Transport, transport).pause_reading)
        self._dial = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        assert self.transport is not None
        try:
            inside, _ = await asyncio.get_running_loop().create_connection(lambda: _Side(self), *self._target)
        except OSError as error:
            _log.debug("%s:%s: %s", *self._target, error)
            self.transport.abort()
            return
        if self.transport.is_closing():
            inside.close()
        else:
            self.transport.resume_reading()


async def serve(listener: socket.socket, host: str, port: int) -> None:
    """Relay every connection on ``listener`` to ``host``:``port``, until cancelled."""
    server = await asyncio.get_running_loop().create_server(lambda: _Outside(host, port), sock=listener)
    async with server:
        await server.serve_forever()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m conformance.lab.real.relay", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="A socket that listens.")
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    arguments = parser.parse_args()
    host, _, port = arguments.to.rpartition(":")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(serve(socket.socket(fileno=arguments.fd), host, int(port)))
