"""Dials over UDP and ICMP echo."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from typing import Any

from conformance.probe.agent.flight import Airport
from conformance.probe.agent.request import Request
from conformance.probe.agent.speech import BRIEF, TOO_BIG
from conformance.probe.agent.stream import BAD, MOST_BODY, Stream

# linux/in.h, linux/in6.h: Python names none of these
IP_MTU, IP_MTU_DISCOVER = 14, 10
IPV6_MTU, IPV6_MTU_DISCOVER = 24, 23
NEVER_CUT = 2  # IP_PMTUDISC_DO: not here, and (Don't Fragment) by no router
MOST_TOLD_OFF = 4  # times that a path turns out to be narrower still


def settle(sock: socket.socket) -> None:
    """Throw away what earlier exchanges left in a socket, ICMP errors and late answers: the next is not to blame."""
    for flags in (socket.MSG_ERRQUEUE, 0):
        with contextlib.suppress(OSError):
            while True:
                sock.recvmsg(1, 0, flags)
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # reading it clears it


class Datagram(Stream):
    """One datagram and its answer, on a new source port.

    Never sent twice: on a healthy network none is lost, and conntrack would send the second one where the first went.
    """

    socket_type = socket.SOCK_DGRAM

    told_off = 0

    def _prepare(self, sock: socket.socket) -> None:
        request = self.request
        if request.fits and request.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, NEVER_CUT)
        elif request.fits:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, NEVER_CUT)
        if request.source_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._bind(sock)

    def _opened(self, sock: socket.socket) -> None:
        self._watch(sock)
        self._send(sock)

    def _question(self) -> bytes:
        request = self.request
        if request.too_big:
            return self._asking(f"{TOO_BIG}{request.too_big} {self.airport.token()}", 0)
        if request.fits and self.sock:
            if request.family == socket.AF_INET:
                room = self.sock.getsockopt(socket.IPPROTO_IP, IP_MTU) - 28
            else:
                room = self.sock.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU) - 48
            return self._asking(BRIEF + self.airport.token(), room)
        return super()._question()

    def _too_big(self, icmp: list[Any]) -> bool:
        if self.request.too_big:
            self._finish("icmp", icmp=icmp, detail="EMSGSIZE")
        elif self.request.fits and self.sock and self.told_off < MOST_TOLD_OFF:
            self.told_off += 1
            self._send(self.sock)
        else:
            return False
        return True

    def _watch(self, sock: socket.socket) -> None:
        self.airport.loop.watch(sock.fileno(), select.EPOLLIN, self._event)

    def _exchange(self, sock: socket.socket) -> None:
        settle(sock)
        super()._exchange(sock)

    def _event(self, events: int) -> None:
        if self.sock is None:
            return
        if self.idle:
            settle(self.sock)
            return
        if events & BAD and self._icmp():
            return
        try:
            self._take(self.sock.recv(MOST_BODY))
        except BlockingIOError:
            return
        except OSError as error:
            if not self._icmp():
                self._fail(error.errno or 0)

    def _take(self, data: bytes) -> None:
        if self.request.payload:
            self._finish("answered", detail=data.hex())
        else:
            self._answered(data)

    def _goes_on(self, end: str) -> bool:
        return end in ("answered", "timeout", "icmp", "error")  # EPERM: its own packet filter dropped it, which passes


class Echo(Datagram):
    """ICMP echo by a ping socket, which takes no privilege where net.ipv4.ping_group_range allows it."""

    def __init__(self, airport: Airport, request: Request, port: int) -> None:
        super().__init__(airport, request, port)
        self.socket_protocol = socket.IPPROTO_ICMPV6 if request.family == socket.AF_INET6 else socket.IPPROTO_ICMP

    def _prepare(self, sock: socket.socket) -> None:
        if self.request.bind:
            sock.bind((self.request.bind, 0))

    def _question(self) -> bytes:
        self.sent = self.airport.token()
        kind = 128 if self.request.family == socket.AF_INET6 else 8
        return struct.pack("!BBHHH", kind, 0, 0, 0, 1) + self.sent.encode()  # the kernel fills in checksum and id

    def _take(self, data: bytes) -> None:
        if data[8:] == self.sent.encode():
            self._finish("answered", detail="echo reply")
