"""The answering side: who I am, whom I see, which address was asked."""

from __future__ import annotations

import argparse
import errno
import json
import os
import select
import signal
import socket
import struct
from typing import Any

from conformance.probe.agent.complaint import complained
from conformance.probe.agent.loop import Loop
from conformance.probe.agent.sctp_serve import IP_PKTINFO, Responder
from conformance.probe.agent.speech import repeated

BATCH = 64  # connections or datagrams taken in one turn, so that no socket starves another
MOST_HELD = 1 << 22  # bytes of unfinished lines, or of answers not taken, at which a client is hung up on


class Server:
    """Answers each TCP line and each UDP datagram, on every local address of both families, with one JSON line.

    ``fleet`` are further ports, on each of which it answers under a name of its own: NAME-1, NAME-2 and so on.
    """

    def __init__(self, loop: Loop, name: str, ports: list[int], fleet: range = range(0)) -> None:
        self.loop = loop
        self.names = {port: json.dumps(name) for port in ports}
        self.names |= {port: json.dumps(f"{name}-{number}") for number, port in enumerate(fleet, 1)}
        for port in self.names:
            for family in (socket.AF_INET, socket.AF_INET6):
                self._open(family, port)

    def _open(self, family: int, port: int) -> None:
        try:
            tcp, udp = socket.socket(family, socket.SOCK_STREAM), socket.socket(family, socket.SOCK_DGRAM)
            for sock in (tcp, udp):
                sock.setblocking(False)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # inherited: forgets clients that vanished
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)  # bursts of many clients must fit
            if family == socket.AF_INET:
                udp.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            else:
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            for sock in (tcp, udp):
                sock.bind(("", port))
        except OSError as failure:
            if family == socket.AF_INET6 and failure.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                return  # this kernel or this namespace has no IPv6
            raise
        tcp.listen(65535)  # the kernel cuts it down to net.core.somaxconn
        self.loop.watch(tcp.fileno(), select.EPOLLIN, lambda _: self._accept(tcp))
        self.loop.watch(udp.fileno(), select.EPOLLIN, lambda _: self._datagrams(udp, family, port))

    def answer(self, client: tuple[Any, ...], own: str, port: int, line: bytes) -> bytes:
        """What is said to ``client``, who sent ``line`` to ``own`` address."""
        name, asked = self.names[port], json.dumps(repeated(line.decode("utf-8", "replace")))
        text = f'{{"name":{name},"client":["{client[0]}",{client[1]}],"own":["{own}",{port}],"id":{asked}}}\n'
        return text.encode()

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(BATCH):
            try:
                sock, client = listener.accept()
            except OSError:  # nobody there, aborted by the client, or no descriptor left: the next turn tries again
                return
            sock.setblocking(False)
            Conversation(self, sock, client)

    def _datagrams(self, sock: socket.socket, family: int, port: int) -> None:
        for _ in range(BATCH):
            try:
                data, control, _flags, client = sock.recvmsg(65536, 128)
            except OSError:
                return
            own = ""
            reply: list[tuple[int, int, bytes]] = []
            for level, kind, info in control:  # the answer must leave from the address that was asked
                if family == socket.AF_INET:
                    own = socket.inet_ntop(family, info[8:12])  # struct in_pktinfo: ifindex, spec_dst, addr
                    reply = [(level, kind, struct.pack("=I", 0) + info[8:12] + bytes(4))]
                else:
                    own = socket.inet_ntop(family, info[:16])  # struct in6_pktinfo: addr, ifindex
                    scoped = info[:2] == b"\xfe\x80"
                    reply = [(level, kind, info if scoped else info[:16] + bytes(4))]
            if complained(family, client, own, port, data):
                continue
            try:
                sock.sendmsg([self.answer(client, own, port, data.rstrip(b"\n"))], reply, 0, client)
            except OSError:  # no way back to the client: it will see silence, which is the truth
                continue


class Conversation:
    """One TCP connection: each line is answered, as fast as the client takes the answers."""

    def __init__(self, server: Server, sock: socket.socket, client: tuple[Any, ...]) -> None:
        self.server, self.sock, self.client = server, sock, client
        self.own, self.port = sock.getsockname()[:2]
        self.received = self.unsent = b""
        server.loop.watch(sock.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLET, self._event)

    def _event(self, _events: int) -> None:
        try:
            self._flush()
            while self._read():
                self._flush()
        except BlockingIOError:
            return
        except OSError:
            pass
        self.server.loop.forget(self.sock.fileno())
        self.sock.close()

    def _read(self) -> bool:
        """Take more; False when the client is done, or takes nothing himself."""
        data = self.sock.recv(65536)
        *lines, self.received = (self.received + data).split(b"\n")
        for line in lines:
            self.unsent += self.server.answer(self.client, self.own, self.port, line)
        return bool(data) and max(len(self.received), len(self.unsent)) < MOST_HELD

    def _flush(self) -> None:
        try:
            self.unsent = self.unsent[self.sock.send(self.unsent) :] if self.unsent else b""
        except BlockingIOError:
            return


def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM, and for ``--linger`` seconds more: a terminating endpoint that still serves."""

    def stop(_signal: int, _frame: object) -> None:
        raise SystemExit(0)

    def terminate(number: int, frame: object) -> None:
        if options.linger <= 0:
            stop(number, frame)
        signal.setitimer(signal.ITIMER_REAL, options.linger)

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, terminate)  # PID 1 of a container has no default action for it
    loop = Loop()
    server = Server(loop, options.name, options.port, options.fleet)
    if options.sctp:
        Responder(loop, options.port, server.answer)
    if options.ready_file:
        os.close(os.open(options.ready_file, os.O_CREAT | os.O_WRONLY, 0o644))
    while True:
        loop.turn()
