"""A vantage point and the agent that runs there now."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence

from conformance.cluster.failures import ApiRefused
from conformance.cluster.outage import PATIENCE
from conformance.cluster.stream import StreamLost
from conformance.errors import ClusterError
from conformance.model.client import ClientKind
from conformance.model.observation import Observation
from conformance.probe.request import DialRequest
from conformance.probe.session import Address, Session
from conformance.probe.vantage import Vantage

SOON, LATE = 0.25, 5.0  # seconds between two attempts to start an agent, doubled each time
FLOW_LOST = "the agent that kept this flow open is gone: its stream was lost, and another one was started"
NOT_ASKED = "it was not asked: the dialling ended early"

Put = Callable[[DialRequest, Observation], None]


class Station:
    """Used by one thread at a time. An agent whose stream dies is started once more, within ``patience`` seconds.

    It is asked again what has no answer and can be asked twice; what cannot, and the flows that the agent before kept,
    end in observations with ``trouble``. A station that does not come back, or whose stream dies again before there is
    an answer, is ``lost`` for good, and says why.
    """

    def __init__(self, vantage: Vantage, width: int, patience: float = PATIENCE) -> None:
        self.vantage = vantage
        self.session: Session | None = None
        self.lost = ""
        self._width = width
        self._patience = patience
        self._kept: set[str] = set()
        self._broken: set[str] = set()

    def open(self, stop: threading.Event) -> None:
        """Start the agent; `ApiRefused` when that is not permitted (401, 403), any other failure makes it lost."""
        try:
            self._start(stop, lambda failure: not isinstance(failure, StreamLost))
        except ClusterError as failure:
            if isinstance(failure, ApiRefused) and failure.status in (401, 403):
                raise
            self.lost = self._words(failure)

    def close(self) -> None:
        """End the agent."""
        if self.session:
            self.session.stream.close()
            self.session = None

    def dial(
        self,
        requests: Sequence[DialRequest],
        window: int,
        control: Callable[[DialRequest], Address | None],
        put: Put,
        stop: threading.Event,
    ) -> None:
        """Make the requests, ``window`` at once; ``put`` is given exactly one observation of each, whatever happens."""
        left = dict(enumerate(requests))
        started = False  # once more, and nothing has been answered since
        try:
            while left and self.session and not stop.is_set():
                part: dict[int, DialRequest] = {}
                try:
                    self.session.drain()
                    for index in [i for i, request in left.items() if request.keep in self._broken]:
                        put(left.pop(index), Observation(trouble=FLOW_LOST))
                    part = dict(itertools.islice(left.items(), window))
                    self._kept |= {request.keep for request in part.values() if request.keep}
                    numbers = list(part)
                    for place, seen in self.session.ask([(r, control(r)) for r in part.values()], stop):
                        put(left.pop(numbers[place]), seen)
                        started = False
                except StreamLost as why:
                    for index in [i for i, request in part.items() if i in left and not request.repeatable]:
                        put(left.pop(index), Observation(trouble=self._words(why)))
                    self._reopen(why, stop, again=not started)
                    started = True
        finally:
            for request in left.values():
                put(request, Observation(trouble=self.lost or NOT_ASKED))

    def _reopen(self, why: StreamLost, stop: threading.Event, *, again: bool) -> None:
        self.close()
        self._broken |= self._kept
        try:
            if not again:
                raise why
            self._start(stop, lambda _: True)
        except ClusterError as failure:
            then = "" if failure is why else f" Starting another agent there failed: {failure.cause}"
            self.lost = f"{self._words(why)}{then}"

    def _start(self, stop: threading.Event, passes_by: Callable[[ClusterError], bool]) -> None:
        """Start the agent, now or within the patience; nothing when ``stop`` is set meanwhile."""
        deadline, pause = time.monotonic() + self._patience, SOON
        while not stop.is_set():
            try:
                self.session = self._started()
            except ClusterError as failure:
                left = deadline - time.monotonic()
                judged = isinstance(failure, ApiRefused) and (failure.decided or failure.denied)
                if judged or left <= 0 or not passes_by(failure):
                    raise
                stop.wait(min(pause, left))
                pause = min(2 * pause, LATE)
            else:
                return

    def _started(self) -> Session:
        stream = self.vantage.open(self._width)
        try:
            return Session(stream)
        except ClusterError:
            stream.close()
            raise

    def _words(self, failure: ClusterError) -> str:
        client = self.vantage.client
        there = f"{client.name} on {client.node}: " if client.kind is not ClientKind.EXTERNAL else ""
        return f"{there}{failure.cause}"
