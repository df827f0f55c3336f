"""What was asked for, and what came of it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from conformance.probe.agent.sieve import network_of


class Berth(NamedTuple):
    """Where a socket is kept: it serves one name, for one destination."""

    name: str
    proto: str
    ip: str
    port: int


class Request:
    """Some dials of one address.

    ``flow``: all on one socket, one after the other. ``keep``: that socket stays open under this name and the next
    flow of that name goes on with it, unless ``release``. ``patience``: how long the first silence of a flow lasts.
    ``pace``: seconds from one start to the next. ``schedule``: instead of both count and pace, when after its beginning
    which port is dialled (0: ``port``). ``control``: an address that needs no kube-proxy, asked just before, and just
    after if there was silence. ``payload``: sent as is, the answer comes back as hex (over TCP both with DNS's two
    bytes of length). ``size``: bytes of the question. ``fits``: of a
    datagram as many as the path takes in one piece, as far as is known, and it may not be cut. ``too_big``: the MTU
    that an ICMP error is to tell in place of an answer. ``networks`` and ``interfaces``: what a watch looks for, and
    where.
    """

    def __init__(self, ask: dict[str, Any]) -> None:
        self.id: str = ask["id"]
        self.ip: str = ask["ip"]
        self.port = int(ask.get("port", 0))
        self.family = socket.AF_INET6 if ":" in self.ip else socket.AF_INET
        self.proto: str = ask.get("proto", "TCP")
        self.schedule = [(float(offset), int(port)) for offset, port in ask.get("schedule", ())]
        self.left = len(self.schedule) or int(ask.get("count", 1))
        self.flow = bool(ask.get("flow"))
        self.keep: str = ask.get("keep", "")
        self.release = bool(ask.get("release"))
        self.parallel = 1 if self.flow else len(self.schedule) or int(ask.get("parallel", 8))
        self.pace = float(ask.get("pace", 0.0))
        self.timeout = float(ask.get("timeout", 1.0))
        self.patience = float(ask.get("patience", 0.0))
        self.source_port = int(ask.get("source_port", 0))
        self.bind: str = ask.get("bind", "")
        self.payload = bytes.fromhex(ask.get("payload", ""))
        self.size = int(ask.get("size", 0))
        self.fits = bool(ask.get("fits"))
        self.too_big = int(ask.get("too_big", 0))
        self.path: str = ask.get("path", "/")
        self.networks = [network_of(cidr) for cidr in ask.get("networks", ())]
        self.interfaces: list[str] = ask.get("interfaces", [])
        control = ask.get("control")
        self.control: tuple[str, int] | None = (control[0], int(control[1])) if control else None
        socket.inet_pton(self.family, self.ip)
        if self.left < 1 or self.parallel < 1 or self.timeout <= 0:
            raise ValueError("count, parallel and timeout must be positive")
        if self.schedule != sorted(self.schedule, key=lambda slot: slot[0]):
            raise ValueError("a schedule ascends")
        if self.flow and self.schedule:
            raise ValueError("a flow has no schedule")
        if self.keep and not (self.flow and self.proto in ("TCP", "UDP")):
            raise ValueError("only a flow over TCP or UDP can be kept")
        if (self.proto == "WIRE") is not bool(self.networks):
            raise ValueError("a watch, and nothing else, looks for networks")
        if (self.fits or self.too_big) and self.proto != "UDP":
            raise ValueError("only datagrams are held against an MTU")
        self.flying = 0
        self.queued = self.asking = self.cancelled = self.silent = False
        self.begun = self.zero = self.not_before = 0.0
        self.before: bool | None = None
        self.ends: list[list[Any]] = []
        self.done: Callable[[Request], None] | None = None

    @property
    def berth(self) -> Berth:
        """Where its socket is kept."""
        return Berth(self.keep, self.proto, self.ip, self.port)

    def next_port(self) -> int:
        """The port of the dial that starts next."""
        return (self.schedule[-self.left][1] if self.schedule else 0) or self.port

    def may_start(self, now: float) -> float:
        """When the dial that starts next may, where the last one started ``now``."""
        if self.schedule and self.left:
            return self.zero + self.schedule[-self.left][0]
        return now + self.pace
