"""Watches what leaves this host for networks that no packet should leave it for."""

from __future__ import annotations

import errno
import json
import select
import socket
from typing import Any

from conformance.probe.agent.flight import Airport, Flight
from conformance.probe.agent.place import default_devices, local_addresses
from conformance.probe.agent.request import Request
from conformance.probe.agent.sieve import HEADERS, IPV4, attach, leaving_for

EVERY_PROTOCOL = 0x0003  # ETH_P_ALL: the only kind of packet socket that is shown what leaves
MOST_TOLD = 10
MOST_AT_ONCE = 256
EXTENSIONS = (0, 43, 60)  # hop-by-hop options, routing, destination options
FRAGMENT = 44
NAMES = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 132: "SCTP"}
PORTED = (6, 17, 132)


def described(device: str, protocol: int, data: bytes) -> dict[str, Any]:
    """A packet in words; port 0 where it shows none."""
    if protocol == IPV4:
        family, source, destination = socket.AF_INET, data[12:16], data[16:20]
        kind, at, first = data[9], (data[0] & 15) * 4, not int.from_bytes(data[6:8], "big") & 0x1FFF
    else:
        family, source, destination = socket.AF_INET6, data[8:24], data[24:40]
        kind, at, first = data[6], 40, True
        while kind in (*EXTENSIONS, FRAGMENT) and at + 8 <= len(data):
            if kind == FRAGMENT:
                first = not int.from_bytes(data[at + 2 : at + 4], "big") & 0xFFF8
            kind, at = data[at], at + (8 if kind == FRAGMENT else 8 + 8 * data[at + 1])
    ported = first and kind in PORTED
    return {
        "device": device,
        "source": socket.inet_ntop(family, source),
        "destination": socket.inet_ntop(family, destination),
        "protocol": NAMES.get(kind, str(kind)),
        "port": int.from_bytes(data[at + 2 : at + 4], "big") if ported else 0,
    }


def watched_devices() -> list[str]:
    """The devices of default routes; on a host without one all that hold an address for others, but the loopback.

    A node is joined to its network by the former. Bridges and the hosts' ends of pods' wires carry no default route:
    what passes there has not left the host.
    """
    addressed = [a["dev"] for a in local_addresses() if a["scope"] == 0 and a["dev"] != "lo"]
    return default_devices() or sorted(set(addressed))


class Watch(Flight):
    """Counts packets that leave for the request's networks until its time is over.

    Ends ``answered`` when there was any, ``timeout`` when there was none: here silence is the good end, and needs no
    control. What is packed into another packet (an overlay's) shows on the overlay's own device only.
    """

    def __init__(self, airport: Airport, request: Request, port: int) -> None:
        super().__init__(airport, request, port)
        self.sockets: dict[str, socket.socket] = {}
        self.packets = 0
        self.seen: list[dict[str, Any]] = []

    def start(self) -> None:
        """Listen from now on."""
        devices = self.request.interfaces or watched_devices()
        try:
            for device in devices:
                self._listen(device)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "")
            self._end("error", f"{name}: a packet socket takes CAP_NET_RAW" if name == "EPERM" else f"{name} {device}")
            return
        if devices:
            self.airport.loop.at(self.begun + self.request.timeout, self._over)
        else:
            self._end("error", "no interface leads out of here")

    def _listen(self, device: str) -> None:
        sock = self.sockets[device] = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        sock.setblocking(False)
        attach(sock, leaving_for(self.request.networks))
        sock.bind((device, EVERY_PROTOCOL))
        self.airport.loop.watch(sock.fileno(), select.EPOLLIN, lambda _: self._packets(sock))

    def _packets(self, sock: socket.socket) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                data, (device, protocol, *_) = sock.recvfrom(HEADERS)
            except OSError:  # no more, or the device went down: then nothing leaves by it
                return
            self.packets += 1
            if self.packets <= MOST_TOLD:
                self.seen.append(described(device, protocol, data))

    def _over(self) -> None:
        for sock in self.sockets.values():
            self._packets(sock)
        if self.packets:
            self._end("answered", json.dumps({"packets": self.packets, "seen": self.seen}))
        else:
            self._end("timeout", "")

    def _end(self, end: str, detail: str) -> None:
        for sock in self.sockets.values():
            self.airport.loop.forget(sock.fileno())
            sock.close()
        self._record(end, "", ("", 0), None, detail)
        self._land()
