"""One node's tracer: `conformance.probe.trace.program` at the other end of a stream."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance.cluster.command import BOOTSTRAP
from conformance.cluster.stream import LineStream, StreamLost
from conformance.model.way import DONE, READY
from conformance.probe.trace import program

COMMAND = ("python3", "-u", "-c", BOOTSTRAP)
"""What the stream runs on the node."""
PATIENCE = 8.0
"""Seconds for nft to list the node's rules before it listens, and for what it has seen to arrive."""
_EVERY = 0.2
_ERROR = "error "


class Tracer:
    """A context manager: from its beginning the node's rules are watched, at its end its table is gone.

    `StreamLost` when the stream is, or the node does not let us.
    """

    def __init__(self, open_: Callable[[], LineStream], table: list[str]) -> None:
        self._open, self._table = open_, table
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        self._stream = self._open()
        try:
            source = Path(program.__file__).read_text(encoding="utf-8")
            # The bootstrap reads so many bytes, of which the last is the newline that ends what is sent.
            self._stream.send(str(len(source.encode())))
            self._stream.send(source.removesuffix("\n"))
            self._stream.send(json.dumps(self._table))
            self._until(READY)
            self._lines.clear()
        except BaseException:
            self._stream.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._stream.close()

    def seen(self) -> list[str]:
        """What the monitor has printed by now."""
        self._until(DONE)
        return [line for line in self._lines if line.startswith("trace id ")]

    def _until(self, port: int) -> None:
        """Wait until the monitor shows a datagram to ``port``: all that came before it is here as well."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self._stream.send(f"beacon {port}")
            # The node's rules may be traced by others, too, without a pause.
            while time.monotonic() < deadline and (line := self._stream.receive(_EVERY)) is not None:
                if line.startswith(_ERROR):
                    raise StreamLost(f"{self._stream.name}: nft says {line.removeprefix(_ERROR)[:200]!r}.", "")
                self._lines.append(line)
                if "ip daddr 127.0.0.1 " in line and f"udp dport {port} " in line:
                    return
        raise StreamLost(f"{self._stream.name}: nft monitor shows nothing.", "")
