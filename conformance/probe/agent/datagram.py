"""Dials over UDP and ICMP echo."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import struct

from conformance.probe.agent.flight import Airport
from conformance.probe.agent.request import Request
from conformance.probe.agent.stream import BAD, MOST_BODY, Stream


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

    def _prepare(self, sock: socket.socket) -> None:
        request = self.request
        if request.source_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((request.bind, request.source_port))
            return
        for port in self.airport.source_ports(request.ip, self.port):
            try:
                sock.bind((request.bind, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return

    def _opened(self, sock: socket.socket) -> None:
        self._watch(sock)
        self._send(sock)

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
