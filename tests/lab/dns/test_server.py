"""The DNS server on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import dns.asyncquery
import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest

from conformance.errors import EnvironmentFault
from conformance.lab.dns.records import Zones
from conformance.lab.dns.resolver import respond
from conformance.lab.dns.server import Server
from conformance.lab.dns.view import View

ZONES = Zones(dns.name.from_text("cluster.local"))


def many() -> View:
    view = View()
    meta = {"name": "h", "namespace": "n"}
    view.on_service("ADDED", {"metadata": meta, "spec": {"clusterIP": "None"}})
    endpoints = [{"addresses": [f"10.0.0.{n}"]} for n in range(200)]
    labels = {"kubernetes.io/service-name": "h"}
    view.on_slice("ADDED", {"metadata": {**meta, "labels": labels}, "addressType": "IPv4", "endpoints": endpoints})
    return view


@contextlib.asynccontextmanager
async def serving(view: View, *addresses: str) -> AsyncIterator[int]:
    server = Server(lambda query: respond(view, ZONES, query))
    port = 0
    try:
        for address in addresses:
            port = await server.listen(address, port)
        yield port
    finally:
        server.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_long_answer_over_udp_falls_back_to_tcp(address: str) -> None:
    async def scenario() -> None:
        async with serving(many(), "0.0.0.0", "::") as port:
            query = dns.message.make_query("h.n.svc.cluster.local", "A")
            short = await dns.asyncquery.udp(query, address, port=port, timeout=5)
            assert short.flags & dns.flags.TC
            whole, over_tcp = await dns.asyncquery.udp_with_fallback(query, address, port=port, timeout=5)
            assert over_tcp
            assert len(whole.answer[0]) == 200

    asyncio.run(scenario())


def test_answers_come_in_changing_order() -> None:
    async def scenario() -> None:
        async with serving(many(), "127.0.0.1") as port:
            query = dns.message.make_query("h.n.svc.cluster.local", "A")
            answers = [await dns.asyncquery.tcp(query, "127.0.0.1", port=port, timeout=5) for _ in range(8)]
            assert len({answer.answer[0][0].to_text() for answer in answers}) > 1

    asyncio.run(scenario())


def test_a_tcp_connection_takes_several_questions_and_garbage_ends_nothing_else() -> None:
    async def scenario() -> None:
        async with serving(View(), "127.0.0.1") as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for name in ("a.cluster.local", "b.cluster.local"):
                packet = dns.message.make_query(name, "A").to_wire()
                writer.write(len(packet).to_bytes(2) + packet)
                size = int.from_bytes(await reader.readexactly(2))
                assert dns.message.from_wire(await reader.readexactly(size)).rcode() == dns.rcode.NXDOMAIN
            writer.write((3).to_bytes(2) + b"abc")
            assert await reader.read() == b""
            writer.close()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as garbage:
                garbage.sendto(b"\xff" * 30, ("127.0.0.1", port))
            query = dns.message.make_query("dns-version.cluster.local", "TXT")
            answer = await dns.asyncquery.udp(query, "127.0.0.1", port=port, timeout=5)
            assert answer.answer

    asyncio.run(scenario())


def test_a_port_in_use_is_an_environment_fault() -> None:
    async def scenario() -> None:
        refused = pytest.raises(EnvironmentFault, match=r"cannot listen on 127\.0\.0\.1")
        with socket.create_server(("127.0.0.1", 0)) as taken, refused:
            await Server(lambda query: query).listen("127.0.0.1", taken.getsockname()[1])

    asyncio.run(scenario())
