"""What all dials have in common: a beginning, an end, and the engine that waits for it."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

from conformance.probe.agent.loop import Loop, clock
from conformance.probe.agent.request import Berth, Request


class Airport(Protocol):
    """What a dial needs of the engine that started it."""

    loop: Loop
    kept: dict[Berth, socket.socket]

    def token(self) -> str:
        """A word that no other dial sends."""

    def source_ports(self, ip: str, port: int) -> Iterator[int]:
        """Local ports to try, best first; 0 leaves it to the kernel."""

    def landed(self, dial: Flight) -> None:
        """The dial has ended."""


class Flight(ABC):
    """One dial on its way; with ``flow``, all dials of its request, one after the other."""

    def __init__(self, airport: Airport, request: Request, port: int) -> None:
        self.airport, self.request, self.port = airport, request, port
        self.young, self.over = True, False
        self.begun = clock()
        self.took = 0.0  # of an answer that tells how busy the network is
        self.local: tuple[Any, ...] = ("", 0)
        self.retransmits = 0

    @abstractmethod
    def start(self) -> None:
        """Begin; everything after that is called back by the loop."""

    def _record(self, end: str, endpoint: str, client: tuple[str, int], icmp: list[Any] | None, detail: str) -> float:
        """Write down how a dial ended; the seconds that it took."""
        took, local = clock() - self.begun, self.local
        row = [end, endpoint, *client, local[0], local[1], icmp, round(self.begun, 6), round(took, 6), detail]
        self.request.ends.append([*row, self.port, self.retransmits])
        return took

    def _land(self) -> None:
        self.over = True
        self.airport.landed(self)
