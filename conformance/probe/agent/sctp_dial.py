"""Dials over SCTP: one INIT and what comes back."""

from __future__ import annotations

import contextlib
import socket
import struct

from conformance.probe.agent.datagram import Datagram, settle
from conformance.probe.agent.sctp import (
    ABORT,
    INIT,
    INIT_ACK,
    IPPROTO_SCTP,
    SctpPacket,
    initiation,
    kernel_speaks_sctp,
    new_tag,
    sctp_packed,
    sctp_unpacked,
    tag_and_speech,
)
from conformance.probe.agent.stream import MOST_BODY


class Initiation(Datagram):
    """One INIT from a new source port, over a raw socket, never sent twice.

    No association comes of it: a Service chooses, translates, refuses or drops by the first packet, and the INIT ACK
    shows which of these it did. The ABORT after it lets conntrack forget the flow soon.
    """

    socket_type = socket.SOCK_RAW
    socket_protocol = IPPROTO_SCTP
    socket_takes = ": a raw socket takes CAP_NET_RAW"

    def start(self) -> None:
        """Send the INIT."""
        if kernel_speaks_sctp():
            self._finish("error", detail="this kernel has SCTP loaded, which meddles in every exchange of the agent")
        else:
            super().start()

    def _prepare(self, sock: socket.socket) -> None:
        request = self.request
        if request.bind:
            sock.bind((request.bind, 0))
        self.source = request.source_port or next(self.airport.source_ports(request.ip, self.port))

    def _opened(self, sock: socket.socket) -> None:
        self.local = (self.local[0], self.source)
        settle(sock)
        super()._opened(sock)

    def _question(self) -> bytes:
        self.tag = new_tag()
        return sctp_packed(SctpPacket(self.source, self.port, 0, INIT, initiation(self.tag, super()._question())))

    def _event(self, _events: int) -> None:
        """All raw sockets that ask one address hear all its answers and errors: those of other dials are no news."""
        sock = self.sock
        if sock is None or self._icmp():
            return
        try:
            self._take(sock.recv(MOST_BODY))
        except OSError:
            return

    def _concerns(self, packet: bytes) -> bool:
        return packet[:4] == struct.pack("!HH", self.source, self.port)

    def _take(self, data: bytes) -> None:
        if self.request.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4 :]  # IPv4 gives its header as well
        packet = sctp_unpacked(data)
        if packet is None or self.sock is None or (packet.source, packet.target) != (self.port, self.source):
            return
        if packet.kind == INIT_ACK and packet.tag == self.tag:
            tag, speech = tag_and_speech(packet.value)
            self._abort(self.sock, tag)
            self._answered(speech)
        elif packet.kind == ABORT and packet.tag in (self.tag, 0):  # 0: our INIT's own, reflected
            self._finish("rst", detail="ABORT")

    def _abort(self, sock: socket.socket, tag: int) -> None:
        with contextlib.suppress(OSError):  # a courtesy to conntrack, and no part of the dial
            sock.send(sctp_packed(SctpPacket(self.source, self.port, tag, ABORT, b"")))
