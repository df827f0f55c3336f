"""What was asked for, and what came of it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any


class Request:
    """Some dials of one address.

    ``flow``: all on one socket, one after the other. ``pace``: seconds from one start to the next. ``control``: an
    address that needs no kube-proxy, asked just before, and just after if there was silence. ``payload``: sent as is,
    the answer comes back as hex (over TCP both with DNS's two bytes of length).
    """

    def __init__(self, ask: dict[str, Any]) -> None:
        self.id: str = ask["id"]
        self.ip: str = ask["ip"]
        self.port = int(ask.get("port", 0))
        self.family = socket.AF_INET6 if ":" in self.ip else socket.AF_INET
        self.proto: str = ask.get("proto", "TCP")
        self.left = int(ask.get("count", 1))
        self.flow = bool(ask.get("flow"))
        self.parallel = 1 if self.flow else int(ask.get("parallel", 8))
        self.pace = float(ask.get("pace", 0.0))
        self.timeout = float(ask.get("timeout", 1.0))
        self.source_port = int(ask.get("source_port", 0))
        self.bind: str = ask.get("bind", "")
        self.payload = bytes.fromhex(ask.get("payload", ""))
        self.path: str = ask.get("path", "/")
        control = ask.get("control")
        self.control: tuple[str, int] | None = (control[0], int(control[1])) if control else None
        socket.inet_pton(self.family, self.ip)
        if self.left < 1 or self.parallel < 1 or self.timeout <= 0:
            raise ValueError("count, parallel and timeout must be positive")
        self.flying = 0
        self.queued = self.asking = self.cancelled = self.silent = False
        self.begun = self.not_before = 0.0
        self.before: bool | None = None
        self.ends: list[list[Any]] = []
        self.done: Callable[[Request], None] | None = None
