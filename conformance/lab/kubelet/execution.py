"""One exec stream: a WebSocket on one side, a process in a container on the other."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import struct
import termios
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from conformance.lab.kubelet import channels, pipes
from conformance.lab.kubelet.channels import Channel
from conformance.lab.kubelet.life import Life
from conformance.lab.kubelet.spawn import Process, SpawnError

_DRAIN_SECONDS = 0.5  # for output that a background child of the ended process still holds open


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the query asks for."""

    command: tuple[str, ...]
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


@dataclass(slots=True)
class _Stdio:
    """The process' side (``theirs``) and ours; a descriptor is None when it was not asked for."""

    theirs: tuple[int, int, int]
    stdin: int | None = None
    outputs: dict[Channel, int] = field(default_factory=dict)
    terminal: int | None = None

    @classmethod
    def of(cls, wanted: Wanted) -> _Stdio:
        """Pipes or a terminal, and /dev/null for the rest."""
        if wanted.tty:
            ours, theirs = os.openpty()
            os.set_blocking(ours, False)
            return cls((theirs, theirs, theirs), ours if wanted.stdin else None, {Channel.STDOUT: ours}, ours)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        result = cls((null, null, null))
        child = [null, null, null]
        if wanted.stdin:
            result.stdin, child[0] = pipes.pipe_to()
        if wanted.stdout:
            result.outputs[Channel.STDOUT], child[1] = pipes.pipe_from()
        if wanted.stderr:
            result.outputs[Channel.STDERR], child[2] = pipes.pipe_from()
        result.theirs = (child[0], child[1], child[2])
        if null not in child:
            os.close(null)
        return result

    def close_theirs(self) -> None:
        """After the process was started."""
        for fd in set(self.theirs):
            os.close(fd)

    def close_stdin(self) -> None:
        """End of input; a terminal has none but its end-of-file character."""
        if self.stdin is not None and self.terminal is None:
            os.close(self.stdin)
        self.stdin = None

    def close(self) -> None:
        """Everything that is still open on our side."""
        self.close_stdin()
        for fd in set(self.outputs.values()):
            os.close(fd)


async def execute(socket: web.WebSocketResponse, life: Life, wanted: Wanted) -> None:
    """Serve one stream on the open ``socket`` until the process ends or the stream breaks, which kills the process."""
    stdio = _Stdio.of(wanted)
    with contextlib.closing(stdio):
        try:
            process = await life.exec(wanted.command, stdio.theirs, tty=wanted.tty, term="xterm" if wanted.tty else "")
        except SpawnError as error:
            message = f"error executing command in container: {error}"
            await _finish(socket, channels.failure_status(message))
            return
        finally:
            stdio.close_theirs()
        with _killed_at_the_end(process):
            code = await _serve(socket, process, stdio)
        if code is not None:
            await _finish(socket, channels.exit_status(code))


async def _serve(socket: web.WebSocketResponse, process: Process, stdio: _Stdio) -> int | None:
    """The process' return code once its output is sent; None when the stream broke."""
    for channel in list(stdio.outputs)[:1]:
        # As a kubelet does: an empty message says that the streams are there.
        await socket.send_bytes(channels.frame(channel, b""))
    outputs = [_Output(socket, channel, fd) for channel, fd in stdio.outputs.items()]
    sending = {asyncio.create_task(output.run()): output for output in outputs}
    incoming = asyncio.create_task(_receive(socket, stdio))
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait({incoming, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            return None
        await _drain(sending, incoming)
        return ended.result()
    finally:
        tasks = (*sending, incoming, ended)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(sending: dict[asyncio.Task[None], _Output], incoming: asyncio.Task[None]) -> None:
    """Wait for the rest of the output: to its end, or until whoever else holds the pipe is silent."""
    pending = set(sending)
    while pending and not incoming.done():
        before = sum(sending[task].sent for task in pending)
        await asyncio.wait({*pending, incoming}, timeout=_DRAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        pending = {task for task in pending if not task.done()}
        silent = not any(sending[task].busy for task in pending)
        if silent and before == sum(sending[task].sent for task in pending):
            return


class _Output:
    """One output of the process on its way to the peer; what the peer does not take stays in the process' pipe."""

    def __init__(self, socket: web.WebSocketResponse, channel: Channel, fd: int) -> None:
        self.sent = 0
        self.busy = False
        self._socket = socket
        self._channel = channel
        self._fd = fd

    async def run(self) -> None:
        """Send until the end of the output or of the stream."""
        while data := await pipes.read(self._fd):
            self.busy = True
            with contextlib.suppress(ConnectionError):
                await self._socket.send_bytes(channels.frame(self._channel, data))
            self.busy = False
            self.sent += 1


async def _receive(socket: web.WebSocketResponse, stdio: _Stdio) -> None:
    """Take messages until the stream ends."""
    async for message in socket:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT) or not message.data:
            continue
        # The Python client sends what it was given as str in text messages, channel byte and all.
        content = message.data if isinstance(message.data, bytes) else message.data.encode()
        channel, data = content[0], content[1:]
        if channel == Channel.STDIN and stdio.stdin is not None:
            if data and not await pipes.write(stdio.stdin, data):
                stdio.close_stdin()
        elif channel == Channel.RESIZE and stdio.terminal is not None:
            size = channels.parse_size(data)
            if size is not None:
                fcntl.ioctl(stdio.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size.height, size.width, 0, 0))
        elif channel == Channel.CLOSE and data == bytes((Channel.STDIN,)):
            stdio.close_stdin()


@contextlib.contextmanager
def _killed_at_the_end(process: Process) -> Iterator[None]:
    try:
        yield
    finally:
        if process.running:
            process.signal(signal.SIGKILL)


async def _finish(socket: web.WebSocketResponse, status: dict[str, Any]) -> None:
    with contextlib.suppress(ConnectionError):
        await socket.send_bytes(channels.frame(Channel.ERROR, json.dumps(status).encode()))
    await socket.close()
