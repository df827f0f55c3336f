"""Lines of text to and from a program that runs elsewhere."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from conformance.errors import ClusterError


class StreamLost(ClusterError):
    """The program at the other end of a stream is gone, or can no longer be reached."""


class LineStream(Protocol):
    """A program's stdin and stdout, line by line; used by one thread at a time."""

    @property
    def name(self) -> str:
        """What a person calls the other end, e.g. ``pod web-a`` or ``ssh host``."""

    def send(self, line: str) -> None:
        """Write ``line`` and a newline; `StreamLost` when that cannot be done."""

    def receive(self, timeout: float) -> str | None:
        """The next line without its newline, None when none came in ``timeout`` seconds; `StreamLost` at the end."""

    def close(self) -> None:
        """End the program by closing its stdin; idempotent, raises nothing."""


class LineBuffer:
    """Bytes as they come, given back as whole lines."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._rest: list[bytes] = []  # pieces of a line whose end has not come

    def feed(self, data: bytes) -> None:
        """More bytes, cut anywhere."""
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = b"".join((*self._rest, lines[0]))
            self._rest = []
            self._lines.extend(lines)
        if rest:
            self._rest.append(rest)

    def next(self) -> str | None:
        """The oldest whole line not yet taken, or None."""
        return self._lines.popleft().decode("utf-8", "replace") if self._lines else None
