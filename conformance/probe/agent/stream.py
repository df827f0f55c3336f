"""Dials over TCP: one line and its answer, a DNS message, or an HTTP page."""

from __future__ import annotations

import errno
import json
import select
import socket
import struct
import sys
from typing import Any

from conformance.probe.agent.flight import Airport, Flight
from conformance.probe.agent.loop import clock
from conformance.probe.agent.request import Request
from conformance.probe.agent.speech import filled, repeated

# linux/in.h, linux/in6.h, linux/errqueue.h: Python names none of these
IP_RECVERR, IPV6_RECVERR = 11, 25
ORIGIN_ICMP, ORIGIN_ICMP6 = 2, 3
# EACCES is a prohibit route, EINVAL a blackhole one
NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EACCES, errno.EINVAL)
TOTAL_RETRANSMITS = 100  # of struct tcp_info (linux/tcp.h): segments sent again, SYNs included
BAD = select.EPOLLERR | select.EPOLLHUP
MOST_BODY = 65536
HELD_UP = 0.1


class Stream(Flight):
    """One dial over TCP: connect, send a line, read a line, reset.

    Closing with RST (SO_LINGER 0) leaves no TIME_WAIT on either side and lets conntrack forget the flow after 10
    seconds (CLOSE) instead of 120: thousands of dials use up neither source ports nor those of masquerade.
    """

    socket_type = socket.SOCK_STREAM
    socket_protocol = 0
    socket_takes = ""  # to be told where it is forbidden

    def __init__(self, airport: Airport, request: Request, port: int) -> None:
        super().__init__(airport, request, port)
        self.connected = self.extended = False
        self.due = 0.0  # when the question counts as unanswered
        self.idle = False  # between two exchanges of a flow
        self.received, self.unsent, self.note, self.sent = b"", b"", "", ""
        self.sock: socket.socket | None = None

    def start(self) -> None:
        """Send the first packet, on the socket that was kept for it if there is one."""
        request = self.request
        kept = self.airport.kept.pop(request.berth, None) if request.keep else None
        if kept:
            self.sock, self.local = kept, kept.getsockname()
            self.connected = self.socket_type == socket.SOCK_STREAM
            self._watch(kept)
            self._exchange(kept)
            return
        try:
            self.sock = sock = socket.socket(request.family, self.socket_type, self.socket_protocol)
        except OSError as error:  # forbidden here (a ping socket), not a word from the route
            self._finish("error", detail=errno.errorcode.get(error.errno or 0, str(error.errno)) + self.socket_takes)
            return
        try:
            sock.setblocking(False)
            # An IPv6 TCP socket that connect() still owns when the ICMP error arrives reports it at the next SYN only,
            # a second later; the error queue has it at once, and names its sender.
            if request.family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            self._prepare(sock)
            self.begun = clock()
            failure = sock.connect_ex((request.ip, self.port))
            self.local = sock.getsockname()
        except OSError as error:
            self._fail(error.errno or 0)
            return
        if failure in (0, errno.EINPROGRESS):
            self._await()
            self._opened(sock)
        elif not self._icmp():
            self._fail(failure)

    def _prepare(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port may be in use for other destinations
        self._bind(sock)

    def _bind(self, sock: socket.socket) -> None:
        """Bind to the source port that is asked for, or to one that is new to this destination."""
        request = self.request
        if request.source_port:
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

    def _watch(self, sock: socket.socket) -> None:
        self.airport.loop.watch(sock.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLET, self._event)

    def _question(self) -> bytes:
        if self.request.payload:
            return self.request.payload
        return self._asking(self.airport.token(), self.request.size)

    def _asking(self, words: str, size: int) -> bytes:
        """A question of at least ``size`` bytes that begins with ``words``, and note what its answer is to repeat."""
        question = filled(words, size - 1)
        self.sent = repeated(question)
        return question.encode() + b"\n"

    def _event(self, events: int) -> None:
        sock = self.sock
        if sock is None or self.idle or (events & BAD and self._icmp()):
            return
        try:
            if not self.connected:
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if events & BAD else 0
                if number:
                    self._fail(number)
                if number or not events & select.EPOLLOUT:
                    return
                self.connected = True
                self.unsent = self._question()
            if self.unsent:
                self.unsent = self.unsent[sock.send(self.unsent) :]
            while not self.over and not self.idle:  # edge-triggered: read until there is no more
                data = sock.recv(MOST_BODY)
                self._take(data)
                if not data:
                    return
        except BlockingIOError:
            return
        except OSError as error:
            if not self._icmp():
                self._fail(error.errno or 0)

    def _take(self, data: bytes) -> None:
        """More of the answer; empty data is its end."""
        self.received += data
        if self.request.payload:
            size = int.from_bytes(self.received[:2], "big") + 2 if len(self.received) > 1 else MOST_BODY
            if len(self.received) >= size:
                self._finish("answered", detail=self.received.hex())
        elif b"\n" in self.received:
            self._answered(self.received)
        if not self.over and (not data or len(self.received) >= MOST_BODY + self.request.size):
            self._finish("cut", detail="closed before the answer was whole")

    def _answered(self, data: bytes) -> None:
        """End the dial with ``data`` as its answer, unless that answers an earlier dial."""
        try:
            answer = json.loads(data)
            if answer["id"] == self.sent:
                self._finish("answered", answer["name"], answer["client"])
            elif self.connected and not self.request.flow:
                self._finish("garbled", answer["name"], detail="the answer repeats another question")
        except (ValueError, LookupError, TypeError):
            self._finish("answered", detail="not an agent: " + data[:200].decode("latin-1"))

    def _icmp(self) -> bool:
        """Whether the socket's error queue held an ICMP error that ends the dial (ip(7), IP_RECVERR)."""
        while self.sock:
            try:
                packet, control = self.sock.recvmsg(64, 512, socket.MSG_ERRQUEUE)[:2]
            except OSError:
                return False
            if not self._concerns(packet):
                continue
            for _level, _kind, data in control:
                number, origin, kind, code, told = struct.unpack_from("=IBBBxI", data)
                if origin not in (ORIGIN_ICMP, ORIGIN_ICMP6):
                    continue  # no word from the network
                if origin == ORIGIN_ICMP:
                    sender = socket.inet_ntop(socket.AF_INET, data[20:24])
                else:
                    sender = socket.inet_ntop(socket.AF_INET6, data[24:40])
                if number == errno.EMSGSIZE:  # path MTU discovery at work
                    if self._too_big([kind, code, sender, told]):
                        return True
                    continue
                end = "cut" if self.connected else "icmp"
                self._finish(end, icmp=[kind, code, sender], detail=errno.errorcode.get(number, str(number)))
                return True
        return False

    def _too_big(self, _icmp: list[Any]) -> bool:
        """Whether the word that a packet was too big, and for which MTU, is this dial's affair."""
        return False

    def _concerns(self, _packet: bytes) -> bool:
        """Whether an ICMP error about this packet, of which it shows the beginning, is this dial's."""
        return True

    def _fail(self, number: int) -> None:
        name = errno.errorcode.get(number, str(number))
        if self.connected:
            self._finish("cut", detail=name)
        elif number in (errno.ECONNREFUSED, errno.ECONNRESET):
            self._finish("rst", detail=name)
        elif number == errno.ETIMEDOUT:
            self._finish("timeout", detail=name)
        else:
            self._finish("no-route" if number in NO_ROUTE else "error", detail=name)

    def _await(self) -> None:
        """Set the time at which this question counts as unanswered; the first of a flow to be so is waited for longer.

        A flow goes on and cannot be asked again, as any other dial whose silence surprises is.
        """
        request = self.request
        longer = request.flow and not request.silent
        self.due = self.begun + max(request.timeout, request.patience if longer else 0.0)
        self.airport.loop.at(self.due, self._expire)

    def _expire(self) -> None:
        now = clock()
        if self.over or self.idle or now < self.due:  # ended, or a flow has begun anew since
            return
        if now - self.due > HELD_UP and not self.extended:
            # This process was held up, and with it whoever answers on a machine so busy: its silence means nothing yet.
            self.extended = True
            self.due = now + self.request.timeout
            self.airport.loop.at(self.due, self._expire)
            return
        self._finish("timeout", detail=self.note or ("connected" if self.connected else ""))

    def _finish(
        self,
        end: str,
        endpoint: str = "",
        client: tuple[str, int] = ("", 0),
        icmp: list[Any] | None = None,
        detail: str = "",
    ) -> None:
        if self.over or self.idle:
            return
        request = self.request
        self._count_retransmits()
        took = self._record(end, endpoint, client, icmp, detail)
        if end == "timeout":
            request.silent = True
        if request.flow and request.left and self._goes_on(end):
            request.left -= 1
            self.idle = True
            self.airport.loop.at(self.begun + max(request.pace, took), self._again)
            return
        if request.flow:
            request.left = 0
        self.took = took if end == "answered" else 0.0
        self._leave(keep=bool(request.keep) and not request.release and self._goes_on(end))

    def _count_retransmits(self) -> None:
        if self.sock and self.connected:
            told = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TOTAL_RETRANSMITS + 4)
            self.retransmits = int.from_bytes(told[TOTAL_RETRANSMITS:], sys.byteorder)

    def _goes_on(self, end: str) -> bool:
        """Whether a flow survives this end: a connection only an answer, or there would be two of them to await."""
        return end == "answered"

    def _again(self) -> None:
        if self.sock is None or self.request.cancelled:
            self._leave(keep=False)
        else:
            self._exchange(self.sock)

    def _exchange(self, sock: socket.socket) -> None:
        """Ask, on a socket on which an earlier exchange has ended."""
        self.idle, self.received, self.note = False, b"", ""
        self.begun = clock()
        self._await()
        self._send(sock)
        self._event(0)  # what came while nobody waited, such as the other side's end of the connection

    def _send(self, sock: socket.socket) -> None:
        self.unsent = self._question()
        try:
            self.unsent = self.unsent[sock.send(self.unsent) :]
        except (BlockingIOError, PermissionError) as error:
            # EPERM: the client's own firewall dropped it; where it rejected it, the ICMP error follows.
            self.note = errno.errorcode.get(error.errno or 0, "")
        except OSError as error:
            if not self._icmp():
                self._fail(error.errno or 0)

    def _leave(self, keep: bool) -> None:
        """Be over; the socket is closed, or laid by for the next flow of this name."""
        sock, self.sock = self.sock, None
        if sock and keep:
            self.airport.loop.release(sock.fileno())
            older = self.airport.kept.pop(self.request.berth, None)
            if older:
                older.close()
            self.airport.kept[self.request.berth] = sock
        elif sock:
            self.airport.loop.forget(sock.fileno())
            sock.close()
        self._land()


class Http(Stream):
    """GET over HTTP/1.0, which knows no chunks; ``detail`` is JSON: status, headers, body (at most 64 KiB)."""

    def _question(self) -> bytes:
        host = f"[{self.request.ip}]" if ":" in self.request.ip else self.request.ip
        return f"GET {self.request.path} HTTP/1.0\r\nHost: {host}:{self.port}\r\n\r\n".encode()

    def _take(self, data: bytes) -> None:
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        whole = blank and len(body) >= min(int(headers.get("content-length", MOST_BODY)), MOST_BODY)
        if data and not whole and len(head) < MOST_BODY:
            return
        status = first.split(" ")[1:2]
        if blank and status and status[0].isdigit():
            page = {"status": int(status[0]), "headers": headers, "body": body[:MOST_BODY].decode("utf-8", "replace")}
            self._finish("answered", detail=json.dumps(page))
        else:
            self._finish("cut", detail="no HTTP answer: " + self.received[:80].decode("latin-1"))
