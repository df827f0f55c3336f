"""When which dial starts, and the control dials that make silence believable."""

from __future__ import annotations

import collections
import itertools
import os
import random
import socket
from collections.abc import Callable, Iterator
from typing import Any

from conformance.probe.agent.datagram import Datagram, Echo
from conformance.probe.agent.flight import Flight
from conformance.probe.agent.loop import Loop, clock
from conformance.probe.agent.place import descriptor_limit, local_port_range
from conformance.probe.agent.request import Berth, Request
from conformance.probe.agent.sctp_dial import Initiation
from conformance.probe.agent.stream import Http, Stream
from conformance.probe.agent.wire import Watch

FRESH = 0.25  # a control dial begun this long ago is still "just before"
CONTROL_TIMEOUT = 2.0
KINDS: dict[str, type[Flight]] = {
    "TCP": Stream,
    "UDP": Datagram,
    "HTTP": Http,
    "ICMP": Echo,
    "SCTP": Initiation,
    "WIRE": Watch,
}


class Control:
    """Whether an address that needs no kube-proxy answers this client; questions at one time share one dial."""

    def __init__(self, engine: Engine, address: tuple[str, int]) -> None:
        self.engine, self.address = engine, address
        self.good = 0.0  # when the last dial that was answered began
        self.flight: tuple[float, list[Callable[[bool], None]]] | None = None

    def ask(self, since: float, tell: Callable[[bool], None]) -> None:
        """Tell whether an agent answered a dial begun at or after ``since``."""
        if self.good >= since:
            tell(True)
        elif self.flight and self.flight[0] >= since:
            self.flight[1].append(tell)
        else:
            self.flight = flight = (clock(), [tell])
            request = Request({"id": "", "ip": self.address[0], "port": self.address[1], "timeout": CONTROL_TIMEOUT})
            # By its name: somebody else who answers there proves nothing about the way.
            request.done = lambda done: self._landed(bool(done.ends[0][1]), flight)
            self.engine.launch(request)

    def _landed(self, good: bool, flight: tuple[float, list[Callable[[bool], None]]]) -> None:
        if good:
            self.good = max(self.good, flight[0])
        if self.flight is flight:
            self.flight = None
        for tell in flight[1]:
            tell(good)


class Throttle:
    """How many young dials there may be, and how long a dial is young.

    A dial that is no longer young waits for silence to end: it loads nothing, and leaves its place to another. When
    answers take long, the network or whoever answers is busy: then fewer dials start, and they stay young longer, or
    a busy prober would make a broken network.
    """

    QUICK, SLOW = 0.03, 0.1
    FEWEST, FIRST = 2.0, 16.0

    def __init__(self, width: int) -> None:
        self.width = float(width)
        self.limit = min(self.width, self.FIRST)
        self.usual = 0.005  # seconds that an answer takes
        self.calm = 0.0  # no second cut before this time: one stall cuts once

    def answered(self, took: float) -> None:
        """An answer came after ``took`` seconds."""
        self.usual += (took - self.usual) / 8
        if took < self.QUICK:
            self.limit = min(self.width, self.limit + 1 / self.limit)
        elif took > self.SLOW and clock() > self.calm:
            self.limit = max(self.FEWEST, self.limit / 2)
            self.calm = clock() + took

    @property
    def youth(self) -> float:
        """Seconds that a dial is young."""
        return min(1.0, max(0.02, 4 * self.usual))


class Engine:
    """Starts dials as fast as its throttle allows, round robin over the admitted requests."""

    def __init__(self, loop: Loop, width: int, emit: Callable[[dict[str, Any]], None]) -> None:
        self.loop, self.width, self.emit = loop, width, emit
        self.throttle = Throttle(width)
        self.most_open = descriptor_limit() - 64
        self.pending: collections.deque[Request] = collections.deque()  # not yet admitted
        self.ready: collections.deque[Request] = collections.deque()  # may start a dial now
        self.recent: collections.deque[Flight] = collections.deque()  # dials by age
        self.live: dict[str, Request] = {}
        self.young = self.open = self.asking = 0
        self.kept: dict[Berth, socket.socket] = {}  # between two flows; they end with this process
        self.controls: dict[tuple[str, int], Control] = {}
        self.ports: dict[tuple[str, int], int] = {}
        self.port_range = local_port_range()
        self.prefix = os.urandom(4).hex()
        self.count = itertools.count()

    def token(self) -> str:
        """A word that no other dial of any agent sends."""
        return f"{self.prefix}-{next(self.count):x}"

    def source_ports(self, ip: str, port: int) -> Iterator[int]:
        """Ports to try for a new flow: none comes back to one destination until all have been there.

        The kernel's own choice may come back within seconds, and meets what connection tracking still has of the first
        flow: of a datagram for 30 s, of a connection that nobody answered (SYN_SENT) for 120 s, and with it the
        translation of before the rules changed.
        """
        low, high = self.port_range
        for _ in range(64):
            own = self.ports.get((ip, port)) or random.randint(low, high)
            self.ports[ip, port] = low if own >= high else own + 1
            yield own
        yield 0

    def submit(self, request: Request) -> None:
        """Dial this when its turn comes; a watch goes first, for it sees nothing of what was dialled before it."""
        if request.proto not in KINDS:
            raise ValueError("unknown proto " + request.proto)
        if request.networks:
            self.pending.appendleft(request)
        else:
            self.pending.append(request)
        self.live[request.id] = request

    def cancel(self, ids: list[str]) -> None:
        """Begin no more dials of these; what flies lands at its time-out or before."""
        for request in [self.live[i] for i in ids if i in self.live]:
            request.cancelled, request.left = True, 0
            if not request.flying and not request.asking:
                self._complete(request)

    def pump(self) -> None:
        """Start what may start now; to be called after every turn of the loop."""
        now, youth = clock(), self.throttle.youth
        while self.recent and (self.recent[0].over or now - self.recent[0].begun > youth):
            self._aged(self.recent.popleft())
        while self.young < self.throttle.limit and self.open + len(self.kept) < self.most_open:
            if self.ready:
                request = self.ready.popleft()
                request.queued = False
                if request.left:
                    self.launch(request)
                    self._offer(request)
            elif self.pending and self.asking < self.width:
                self._admit(self.pending.popleft())
            else:
                break
        if self.recent and (self.ready or self.pending):
            self.loop.wake = self.recent[0].begun + youth

    def launch(self, request: Request) -> None:
        """Start one dial of ``request``."""
        dial = KINDS[request.proto](self, request, request.next_port())
        request.left -= 1
        request.flying += 1
        request.not_before = request.may_start(clock())
        self.recent.append(dial)
        self.young += 1
        self.open += 1
        dial.start()

    def landed(self, dial: Flight) -> None:
        """A dial has ended: its request goes on, or is complete."""
        request = dial.request
        self.open -= 1
        self._aged(dial)
        if dial.took:
            self.throttle.answered(dial.took)
        request.flying -= 1
        if request.left:
            self._offer(request)
        elif not request.flying:
            self._complete(request)

    def _aged(self, dial: Flight) -> None:
        if dial.young:
            dial.young = False
            self.young -= 1

    def _admit(self, request: Request) -> None:
        if request.cancelled:
            return
        request.begun = clock()
        if not request.control:
            self._begin(request)
            return

        def told(good: bool) -> None:
            request.before, request.asking = good, False
            self.asking -= 1
            if request.left:
                self._begin(request)
            else:
                self._complete(request)

        request.asking = True
        self.asking += 1
        self._control(request.control).ask(request.begun - FRESH, told)

    def _begin(self, request: Request) -> None:
        request.zero = clock()
        if request.schedule:
            request.not_before = request.may_start(request.zero)
        self._offer(request)

    def _control(self, address: tuple[str, int]) -> Control:
        return self.controls.setdefault(address, Control(self, address))

    def _offer(self, request: Request) -> None:
        if request.queued or not request.left or request.flying >= request.parallel:
            return
        request.queued = True
        if request.not_before > clock():
            self.loop.at(request.not_before, lambda: self.ready.append(request))
        else:
            self.ready.append(request)

    def _complete(self, request: Request) -> None:
        if request.done:
            request.done(request)
        elif request.control and request.silent:  # an answer or a refusal needs no second control
            self._control(request.control).ask(clock(), lambda good: self._report(request, good))
        else:
            self._report(request, None)

    def _report(self, request: Request, after: bool | None) -> None:
        if self.live.pop(request.id, None):
            seconds = clock() - request.begun if request.begun else 0.0
            self.emit({"op": "result", "id": request.id, "dials": request.ends, "before": request.before,
                       "after": after, "seconds": round(seconds, 6), "cancelled": request.cancelled})  # fmt: skip
