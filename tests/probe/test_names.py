"""DNS questions that a real server understands, and its answers in words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from conformance.cluster.command import CommandStream, Elsewhere
from conformance.model.client import Client, ClientKind
from conformance.model.observation import Dial, End, Observation
from conformance.probe.answers import named, place_of
from conformance.probe.bundle import agent_source
from conformance.probe.names import over_tcp, question, records
from conformance.probe.prober import Prober
from conformance.probe.request import DialRequest, Transport
from conformance.probe.vantage import Vantage

if TYPE_CHECKING:
    from tests.probe.conftest import World

SERVER = """
import socket, threading
import dns.message, dns.rcode, dns.rrset
ZONE = [
    dns.rrset.from_text("web.ns.svc.c.local.", 5, "IN", "A", "10.0.0.2", "10.0.0.1"),
    dns.rrset.from_text("web.ns.svc.c.local.", 5, "IN", "AAAA", "FD00::1"),
    dns.rrset.from_text("_http._tcp.web.ns.svc.c.local.", 5, "IN", "SRV", "0 50 80 A.web.ns.svc.c.local."),
    dns.rrset.from_text("1.0.0.10.in-addr.arpa.", 5, "IN", "PTR", "web.ns.svc.c.local."),
    dns.rrset.from_text("out.ns.svc.c.local.", 5, "IN", "CNAME", "web.ns.svc.c.local."),
]

def answered(data):
    query = dns.message.from_wire(data)
    assert query.edns == 0 and query.payload == 1232 and query.flags & 0x100
    answer = dns.message.make_response(query)
    name, kind = query.question[0].name, query.question[0].rdtype
    for alias in [r for r in ZONE if r.name == name and r.rdtype == 5]:
        answer.answer.append(alias)
        name = alias[0].target
    answer.answer += [r for r in ZONE if (r.name, r.rdtype) == (name, kind) and kind != 5]
    if not any(r.name == name for r in ZONE):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("", 53))
tcp = socket.create_server(("", 53))

def streams():
    while True:
        with tcp.accept()[0] as sock:
            data = sock.recv(9999)
            answer = answered(data[2:])
            assert int.from_bytes(data[:2], "big") == len(data) - 2
            sock.sendall((len(answer).to_bytes(2, "big") + answer)[:7])
            sock.sendall((len(answer).to_bytes(2, "big") + answer)[7:])

threading.Thread(target=streams, daemon=True).start()
print("up", flush=True)
while True:
    data, client = udp.recvfrom(9999)
    udp.sendto(answered(data), client)
"""
ASKED = {
    ("web.ns.svc.c.local.", "A"): "10.0.0.1\n10.0.0.2",
    ("web.ns.svc.c.local", "AAAA"): "fd00::1",
    ("web.ns.svc.c.local.", "TXT"): "NODATA",
    ("_http._tcp.web.ns.svc.c.local.", "SRV"): "80 a.web.ns.svc.c.local.",
    ("1.0.0.10.in-addr.arpa.", "PTR"): "web.ns.svc.c.local.",
    ("out.ns.svc.c.local.", "CNAME"): "CNAME web.ns.svc.c.local.",
    ("out.ns.svc.c.local.", "A"): "10.0.0.1\n10.0.0.2\nCNAME web.ns.svc.c.local.",
    ("nobody.ns.svc.c.local.", "A"): "NXDOMAIN",
}


@pytest.fixture(scope="module")
def resolver(world: World) -> Iterator[str]:
    with subprocess.Popen(
        [*world.prefix("s"), sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield "10.91.2.2"
        process.kill()


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_every_kind_of_record_in_words(world: World, resolver: str, transport: Transport) -> None:
    vantage = Vantage(Client("c", ClientKind.EXTERNAL, "r", ()), lambda _: world.dialler())
    asked = [DialRequest.lookup(f"{name} {kind}", resolver, name, kind, transport, count=3) for name, kind in ASKED]
    with Prober([vantage]) as prober:
        seen = {key: named(observation) for key, observation in prober.sweep({"c": asked})}
    for (name, kind), lines in ASKED.items():
        dials = seen[f"{name} {kind}"].decisive
        assert [(d.end, d.detail, d.port) for d in dials] == [(End.ANSWERED, lines, 53)] * 3


def test_answers_without_records_or_sense() -> None:
    query = dns.message.from_wire(question("web.ns.svc.c.local.", "A"))
    answer = dns.message.make_response(query)
    assert records(answer.to_wire().hex()) == "NODATA"
    answer.set_rcode(dns.rcode.SERVFAIL)
    assert records(over_tcp(answer.to_wire()).hex()) == "SERVFAIL"
    answer.set_rcode(dns.rcode.NOERROR)
    answer.flags |= dns.flags.TC
    answer.answer.append(dns.rrset.from_text("web.ns.svc.c.local.", 5, "IN", "A", "10.0.0.1"))
    assert records(answer.to_wire().hex()) == "10.0.0.1\nTRUNCATED"
    assert records(b"SSH-2.0".hex()) == "MALFORMED"
    assert records("") == "MALFORMED"


def test_only_answers_are_put_into_words_and_the_second_round_too() -> None:
    answer = dns.message.make_response(dns.message.from_wire(question("x.", "A"))).to_wire().hex()
    silent = Dial(End.TIMEOUT, detail="EPERM")
    seen = Observation(dials=(Dial(End.ANSWERED, detail=answer), silent), again=(Dial(End.ANSWERED, detail=answer),))
    spoken = named(seen)
    assert [d.detail for d in spoken.dials] == ["NODATA", "EPERM"]
    assert spoken == replace(seen, dials=spoken.dials, again=(Dial(End.ANSWERED, detail="NODATA"),))


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("search ns.svc.c.local svc.c.local c.local\nnameserver 10.96.0.10\noptions ndots:5\n",
         ("ns.svc.c.local", "svc.c.local", "c.local")),
        ("domain old\n# search no\nsearch new\n\n", ("new",)),
        ("nameserver 1.1.1.1\n", ()),
    ],
)  # fmt: skip
def test_an_agent_tells_its_search_domains(world: World, text: str, search: tuple[str, ...]) -> None:
    world.run("c", "sh", "-c", "mkdir -p /run/etc && printf '%s' \"$0\" > /run/etc/resolv.conf", text)
    bound = ("sh", "-c", 'mount --bind /run/etc/resolv.conf /etc/resolv.conf && exec "$@"', "sh")
    stream = CommandStream.python(Elsewhere("c", (*world.prefix("c"), *bound)), agent_source(), "dial")
    message = json.loads(stream.receive(5.0) or "{}")
    stream.close()
    assert place_of(message).search == search
