"""The dialling side's talk with its driver: JSON lines in and out."""

from __future__ import annotations

import argparse
import json
import os
import select
from typing import Any

from conformance.probe.agent.engine import Engine
from conformance.probe.agent.loop import Loop, clock
from conformance.probe.agent.place import hello
from conformance.probe.agent.request import Request

BEAT = 1.0
GATHER = 0.01  # seconds: on its way to the driver each piece costs its relays as much as a hundred lines do


class Console:
    """Takes requests from stdin; output never blocks a dial: what the reader is slow to take waits in memory."""

    def __init__(self, loop: Loop, width: int) -> None:
        self.loop = loop
        self.engine = Engine(loop, width, self.emit)
        self.incoming = b""
        self.outgoing = bytearray()
        self.blocked = self.gathering = False
        self.flushed = 0.0
        os.set_blocking(1, False)
        loop.watch(0, select.EPOLLIN, self._read)
        self.emit(hello())
        self._beat()

    def emit(self, message: dict[str, Any]) -> None:
        """Write one line: now, together with others that follow soon, or when the reader is ready."""
        self.outgoing += json.dumps(message, separators=(",", ":")).encode() + b"\n"
        if self.blocked or self.gathering:
            return
        if clock() - self.flushed >= GATHER:
            self._flush(0)
        else:
            self.gathering = True
            self.loop.at(self.flushed + GATHER, self._gathered)

    def _gathered(self) -> None:
        self.gathering = False
        if not self.blocked:
            self._flush(0)

    def _flush(self, _events: int) -> None:
        self.flushed = clock()
        try:
            del self.outgoing[: os.write(1, self.outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            raise SystemExit(0) from None  # nobody listens any more
        if self.outgoing and not self.blocked:
            self.loop.watch(1, select.EPOLLOUT, self._flush)
        elif self.blocked and not self.outgoing:
            self.loop.release(1)
        self.blocked = bool(self.outgoing)

    def _read(self, _events: int) -> None:
        data = os.read(0, 1 << 20)
        if not data:
            raise SystemExit(0)  # the driver is gone, and with it whoever wanted the answers
        *lines, self.incoming = (self.incoming + data).split(b"\n")
        for line in lines:
            try:
                self._do(json.loads(line))
            except (ValueError, LookupError, TypeError) as fault:
                self.emit({"op": "fault", "detail": f"{fault!r} in {line[:200]!r}"})

    def _do(self, message: dict[str, Any]) -> None:
        if message["op"] == "dial":
            for ask in message["requests"]:
                try:
                    self.engine.submit(Request(ask))
                except (ValueError, LookupError, TypeError, OSError) as fault:
                    self.emit({"op": "result", "id": ask.get("id", ""), "trouble": f"not understood: {fault!r}"})
        elif message["op"] == "cancel":
            self.engine.cancel(message.get("ids") or list(self.engine.live))
        else:
            raise ValueError("unknown op")

    def _beat(self) -> None:
        self.emit({"op": "beat", "open": self.engine.open, "live": len(self.engine.live)})
        self.loop.at(clock() + BEAT, self._beat)


def dial(options: argparse.Namespace) -> None:
    """Dial what stdin asks for until stdin ends."""
    loop = Loop()
    console = Console(loop, options.width)
    while True:
        loop.turn()
        console.engine.pump()
