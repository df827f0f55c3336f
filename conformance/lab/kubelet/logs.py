"""Container logs: one file a life, in the CRI's line format (``TIME stdout|stderr F|P TEXT``), and reading them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from conformance.lab import timestamps
from conformance.lab.kubelet import pipes

_LONGEST_LINE = 16384


class LogFile:
    """The output of one life of a container, on disk; readers wait on ``grown``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.closed = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("ab", buffering=0)
        self._grown = asyncio.Event()

    async def capture(self, fd: int, stream: str) -> None:
        """Write everything that comes out of ``fd``, line by line, until its end."""
        rest = b""
        while data := await pipes.read(fd):
            *lines, rest = (rest + data).split(b"\n")
            records = [record(stream, part, full) for line in lines for part, full in _parts(line, ends=True)]
            if len(rest) > _LONGEST_LINE:
                whole = len(rest) - len(rest) % _LONGEST_LINE
                records += [record(stream, part, full) for part, full in _parts(rest[:whole], ends=False)]
                rest = rest[whole:]
            self._append(records)
        if rest:
            self._append([record(stream, part, full) for part, full in _parts(rest, ends=False)])

    def close(self) -> None:
        """No more output will come."""
        self.closed = True
        self._file.close()
        self._wake()

    async def grown(self) -> None:
        """Wait for more output, or the end."""
        if not self.closed:
            await self._grown.wait()

    def _append(self, records: Iterable[bytes]) -> None:
        if not self.closed:
            self._file.write(b"".join(records))
            self._wake()

    def _wake(self) -> None:
        woken, self._grown = self._grown, asyncio.Event()
        woken.set()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a log: the API's PodLogOptions."""

    follow: bool = False
    timestamps: bool = False
    tail: int | None = None
    since: datetime | None = None
    limit_bytes: int | None = None

    @classmethod
    def since_seconds(cls, seconds: int) -> datetime:
        """The time ``seconds`` ago."""
        return datetime.now(UTC) - timedelta(seconds=seconds)


async def read(log: LogFile, wanted: Wanted) -> AsyncIterator[bytes]:
    """The log's text in chunks, and with ``follow`` what is still to come."""
    left = wanted.limit_bytes
    with log.path.open("rb") as file:
        first: Iterable[bytes] = _lines(file)
        if wanted.tail is not None:
            first = deque(first, maxlen=wanted.tail) if wanted.tail else deque(_lines(file), maxlen=0)
        while True:
            ended = log.closed
            for chunk in _chunks(first, wanted):
                yield chunk if left is None else chunk[:left]
                if left is not None:
                    left -= len(chunk)
                    if left <= 0:
                        return
            if not wanted.follow or ended:
                return
            await log.grown()
            first = _lines(file)


def record(stream: str, text: bytes, full: bool) -> bytes:
    """One line of the file."""
    return b"%s %s %s %s\n" % (timestamps.now_micro().encode(), stream.encode(), b"F" if full else b"P", text)


def shown(line: bytes, wanted: Wanted) -> bytes:
    """What a reader sees of one line of the file."""
    when, _, tag, text = line.rstrip(b"\n").split(b" ", 3)
    if wanted.since is not None and timestamps.parse(when.decode()) < wanted.since:
        return b""
    text += b"\n" if tag == b"F" else b""
    return when + b" " + text if wanted.timestamps else text


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines from where the file stands; a line that is still being written stays for later."""
    while line := file.readline():
        if not line.endswith(b"\n"):
            file.seek(-len(line), 1)
            return
        yield line


def _chunks(lines: Iterable[bytes], wanted: Wanted) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for line in lines:
        text = shown(line, wanted)
        parts.append(text)
        size += len(text)
        if size >= pipes.CHUNK:
            yield b"".join(parts)
            parts, size = [], 0
    if size:
        yield b"".join(parts)


def _parts(line: bytes, *, ends: bool) -> Iterator[tuple[bytes, bool]]:
    pieces = [line[i : i + _LONGEST_LINE] for i in range(0, len(line), _LONGEST_LINE)] or [b""]
    for i, piece in enumerate(pieces):
        yield piece, ends and i == len(pieces) - 1
