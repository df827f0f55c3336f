"""One agent at the other end of one stream."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from conformance.cluster.stream import LineStream, StreamLost
from conformance.model.observation import Observation
from conformance.model.place import Place
from conformance.probe.answers import observation_of, place_of
from conformance.probe.request import CONTROL_SECONDS, DialRequest

VERSION = 3
CHUNK = 50  # requests a line: long lines would sit in the buffers of proxies between us
GREETING = 30.0
PULSE = 15.0  # the agent beats every second; this long without a line and it is gone, or its node is
GRACE = 30.0
SLOWEST = 200.0  # dials a second that even a loaded agent starts

Address = tuple[str, int]


class Session:
    """An agent ready to dial; used by one thread at a time. Every wait has an end: then it is a `StreamLost`."""

    def __init__(self, stream: LineStream) -> None:
        self.stream = stream
        self._heard = time.monotonic()
        self._asked = 0
        self.place = self._greeting()

    def drain(self) -> None:
        """Take in what has come since the last question; `StreamLost` when the stream has ended meanwhile.

        Then nothing of what is asked next has been asked.
        """
        while self.stream.receive(0.0) is not None:
            pass

    def ask(
        self, requests: Sequence[tuple[DialRequest, Address | None]], stop: threading.Event | None = None
    ) -> Iterator[tuple[int, Observation]]:
        """Dial all of them at once, each with its control address; (index, observation) as they finish.

        Ends early, within a second, when ``stop`` is set; the agent then begins no more of these dials.
        `StreamLost` when the agent dies, falls silent for `PULSE` seconds, or does not finish in the time that counts
        and time-outs allow; what was not yielded by then was not observed.
        """
        # Numbers never used before: answers to a round that was given up must not pass for answers to this one.
        first, self._asked = self._asked, self._asked + len(requests)
        outstanding = {str(first + index): index for index in range(len(requests))}
        asks = [r.message(str(first + i), control) for i, (r, control) in enumerate(requests)]
        for start in range(0, len(asks), CHUNK):
            self.stream.send(json.dumps({"op": "dial", "requests": asks[start : start + CHUNK]}, separators=(",", ":")))
        limit = longest([request for request, _ in requests])
        self._heard = time.monotonic()
        deadline = self._heard + limit
        while outstanding:
            message = self._message(deadline, f"did not finish {len(outstanding)} requests in {limit:.0f} s", PULSE)
            if stop is not None and stop.is_set():
                self.stream.send('{"op":"cancel"}')
                return
            if message.get("op") == "result":
                index = outstanding.pop(message["id"], None)
                if index is not None:
                    yield index, observation_of(message)

    def _greeting(self) -> Place:
        deadline = time.monotonic() + GREETING
        while True:
            message = self._message(deadline, f"did not start in {GREETING:.0f} s", GREETING)
            if message.get("op") == "hello":
                if message["version"] != VERSION:
                    raise StreamLost(
                        f"{self.stream.name}: the agent there speaks version {message['version']}, not {VERSION}.",
                        "Remove what an older nftconform left in the cluster ('nftconform cleanup') and start again.",
                    )
                return place_of(message)

    def _message(self, deadline: float, overdue: str, pulse: float) -> dict[str, Any]:
        """The next line that is a JSON object, empty when none came in a second.

        Login banners and the like are skipped.
        """
        while True:
            now = time.monotonic()
            if now >= deadline:
                raise StreamLost(f"{self.stream.name}: the agent {overdue}.", "Check the load of the node it runs on.")
            if now - self._heard > pulse:
                raise StreamLost(
                    f"{self.stream.name}: no sign of life for {pulse:.0f} s.", "Check that its node and pod are up."
                )
            line = self.stream.receive(min(deadline - now, 1.0))
            if line is None:
                return {}
            self._heard = time.monotonic()
            if line.startswith("{"):
                try:
                    message: dict[str, Any] = json.loads(line)
                except ValueError:
                    continue
                return message


def longest(requests: Sequence[DialRequest]) -> float:
    """Seconds by which an agent has finished ``requests``, however they end: derived from counts and time-outs."""
    if not requests:
        return GRACE
    dials = sum(request.count for request in requests)
    slowest = max(request.longest for request in requests)
    return GRACE + 2 * (slowest + 2 * CONTROL_SECONDS) + dials / SLOWEST
