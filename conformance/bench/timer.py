"""One bench agent at the other end of one stream."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any

from conformance.cluster.api import Cluster
from conformance.cluster.exec import ExecStream
from conformance.cluster.pods import AGENT_PATH, PodRef
from conformance.cluster.stream import StreamLost
from conformance.errors import ClusterError

JSON = dict[str, Any]
GRACE = 30.0
_PINGS = 7
Target = tuple[str, int]


def source() -> str:
    """The agent, as pods carry it."""
    return resources.files(__package__).joinpath("agent.py").read_text("utf-8")


class AgentFault(ClusterError):
    """The agent could not do what it was asked."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a node's clock is ahead of ours, and by how much that may be wrong, in seconds."""

    ahead: float
    within: float


class Timer:
    """An agent ready to measure; used by one thread at a time. Every wait has an end: then it is a `StreamLost`."""

    def __init__(self, cluster: Cluster, pod: PodRef) -> None:
        self._stream = ExecStream(cluster, pod.namespace, pod.name, ["python3", "-u", AGENT_PATH, "measure"])

    def close(self) -> None:
        """End the agent."""
        self._stream.close()

    def ask(self, op: str, within: float = 0.0, **what: object) -> JSON:
        """What the agent answers ``within`` so many seconds. `AgentFault`, `StreamLost`."""
        self._stream.send(json.dumps({"op": op, **what}, separators=(",", ":")))
        return self.answer(within)

    def arm(self, op: str, **what: object) -> None:
        """Begin something that goes on until its own end or `disarm`; `answer` tells how it went."""
        self.ask(op, 0.0, **what)

    def disarm(self, within: float = 0.0) -> JSON:
        """End what was armed, and say how it went."""
        self._stream.send("")
        return self.answer(within)

    def answer(self, within: float = 0.0) -> JSON:
        """What it says next, ``within`` so many seconds and some grace."""
        deadline = time.monotonic() + within + GRACE
        while (left := deadline - time.monotonic()) > 0:
            line = self._stream.receive(min(left, 1.0))
            if line is None or not line.startswith("{"):
                continue
            try:
                said: JSON = json.loads(line)
            except ValueError:
                continue
            if "fault" in said:
                raise AgentFault(f"{self._stream.name}: {said['fault']}.", "See the pod and its node.")
            return said
        raise StreamLost(f"{self._stream.name}: no answer in {within + GRACE:.0f} s.", "Check the load of its node.")

    def clock(self) -> Clock:
        """By the quickest of several questions, as NTP does it."""
        found = []
        for _ in range(_PINGS):
            began = time.time_ns()
            there = self.ask("clock")["now"]
            ended = time.time_ns()
            found.append(Clock((there - (began + ended) / 2) / 1e9, (ended - began) / 2e9))
        best = min(found, key=lambda one: one.within)
        # Less than can be told apart is nothing, as on a lab, where there is one clock.
        return best if abs(best.ahead) > best.within else Clock(0.0, 0.0)


@contextmanager
def timers(cluster: Cluster, pods: Sequence[PodRef]) -> Iterator[list[Timer]]:
    """One agent in each of ``pods`` for the time of the block."""
    opened: list[Timer] = []
    try:
        for pod in pods:
            opened.append(Timer(cluster, pod))
        yield opened
    finally:
        for one in opened:
            one.close()
