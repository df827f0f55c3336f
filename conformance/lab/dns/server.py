"""UDP and TCP in front of a function from query to response."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from typing import cast

import dns.exception
import dns.message
import dns.rrset

from conformance.errors import EnvironmentFault
from conformance.lab.dns.resolver import unreadable, wire

Respond = Callable[[dns.message.Message], dns.message.Message]

_IDLE_SECONDS = 10.0


class Server:
    """Serves DNS on one address, UDP and TCP on the same port."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._transports: list[asyncio.DatagramTransport] = []
        self._servers: list[asyncio.Server] = []

    async def listen(self, address: str, port: int) -> int:
        """Listen there too; the port (of use when 0 was asked for). ``EnvironmentFault`` when it cannot be had."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        loop = asyncio.get_running_loop()
        tcp, udp = socket.socket(family, socket.SOCK_STREAM), socket.socket(family, socket.SOCK_DGRAM)
        try:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                for each in (tcp, udp):
                    each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tcp.bind((address, port))
            port = int(tcp.getsockname()[1])
            udp.bind((address, port))
        except OSError as error:
            tcp.close()
            udp.close()
            raise EnvironmentFault(
                f"DNS cannot listen on {address} port {port}: {error.strerror}.", "Choose another address or port."
            ) from error
        udp.setblocking(False)
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self.answer), sock=udp)
        self._transports.append(transport)
        self._servers.append(await asyncio.start_server(self._converse, sock=tcp))
        return port

    def close(self) -> None:
        """Stop listening."""
        for transport in self._transports:
            transport.close()
        for server in self._servers:
            server.close()

    def answer(self, packet: bytes, *, stream: bool) -> bytes | None:
        """The answer to one message, or None where silence is right."""
        try:
            query = dns.message.from_wire(packet)
        except dns.exception.DNSException:
            return unreadable(packet)
        if query.flags & 0x8000:
            return None
        response = self._respond(query)
        response.answer = [_shuffled(rrset) for rrset in response.answer]
        return wire(response, query, stream=stream)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                async with asyncio.timeout(_IDLE_SECONDS):
                    size = int.from_bytes(await reader.readexactly(2))
                    packet = await reader.readexactly(size)
                answer = self.answer(packet, stream=True)
                if answer is None:
                    break
                writer.write(len(answer).to_bytes(2) + answer)
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            pass  # the asker has gone, or has nothing more to ask
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[..., bytes | None]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not isinstance(): the event loop's own class derives from DatagramTransport only since Python 3.12.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data, stream=False)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


def _shuffled(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    """The same records in a random order: clients take the first, and all endpoints shall be somebody's first."""
    rdatas = list(rrset)
    random.shuffle(rdatas)
    return dns.rrset.from_rdata_list(rrset.name, rrset.ttl, rdatas)
