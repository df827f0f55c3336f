"""The answering side of SCTP."""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any

from conformance.probe.agent.loop import Loop
from conformance.probe.agent.sctp import (
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

IP_PKTINFO = 8  # linux/in.h; Python has the name since 3.14 only
PACKETS = 64  # taken in one turn


class Responder:
    """Answers each INIT to one of ``ports``, on every local address of both families, with an INIT ACK that speaks.

    It knows no associations: whatever else arrives is left alone, and so are other ports.
    """

    def __init__(self, loop: Loop, ports: Sequence[int], answer: Callable[[Any, str, int, bytes], bytes]) -> None:
        """``answer`` is told the client, the own address and port that he asked, and what."""
        self.ports, self.answer = frozenset(ports), answer
        if kernel_speaks_sctp():
            print("agent: this kernel has SCTP loaded and answers for itself: SCTP is not served", file=sys.stderr)
            return
        for family in (socket.AF_INET, socket.AF_INET6):
            self._open(loop, family)

    def _open(self, loop: Loop, family: int) -> None:
        try:
            sock = socket.socket(family, socket.SOCK_RAW, IPPROTO_SCTP)
        except OSError as failure:
            if family == socket.AF_INET6 and failure.errno == errno.EAFNOSUPPORT:
                return
            if failure.errno == errno.EPERM:
                raise OSError(errno.EPERM, "SCTP takes CAP_NET_RAW") from failure
            raise
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        loop.watch(sock.fileno(), select.EPOLLIN, lambda _: self._packets(sock))

    def _packets(self, sock: socket.socket) -> None:
        for _ in range(PACKETS):
            try:
                data, control, _flags, client = sock.recvmsg(65536, 128)
                if sock.family == socket.AF_INET:
                    # The header is given as well; its destination is asked for as the answer's source.
                    data, own = data[(data[0] & 15) * 4 :], data[16:20]
                    info = struct.pack("=I4s4s", 0, own, own)
                    self._packet(sock, data, own, client, (socket.IPPROTO_IP, IP_PKTINFO, info))
                for level, kind, info in control:
                    scoped = info[:2] == b"\xfe\x80"
                    self._packet(sock, data, info[:16], client, (level, kind, info if scoped else info[:16] + bytes(4)))
            except OSError:  # nothing there, or no way back to the client, which will see silence: that is the truth
                return

    def _packet(
        self, sock: socket.socket, data: bytes, own: bytes, client: tuple[Any, ...], reply: tuple[int, int, bytes]
    ) -> None:
        packet = sctp_unpacked(data)
        if packet is None or packet.kind != INIT or packet.target not in self.ports:
            return
        tag, question = tag_and_speech(packet.value)
        address = socket.inet_ntop(sock.family, own)
        answer = self.answer((client[0], packet.source), address, packet.target, question)
        value = initiation(new_tag(), answer, cookie=b"none")
        said = sctp_packed(SctpPacket(packet.target, packet.source, tag, INIT_ACK, value))
        sock.sendmsg([said], [reply], 0, (client[0], 0, *client[2:]))
