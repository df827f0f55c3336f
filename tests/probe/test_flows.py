"""Dials at set times, sockets that outlive their request, and questions larger than a packet."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cluster.stream import LineStream
from conformance.model.observation import Dial, End
from conformance.probe.request import DialRequest, Transport
from tests.probe.talk import ends, results

if TYPE_CHECKING:
    from tests.probe.conftest import World

FAMILIES = ("10.91.2.2", "fd91:2::2")


@contextlib.contextmanager
def rule(world: World, text: str) -> Iterator[None]:
    """One more rule in the router's wall, for a while."""
    try:
        world.run("r", "nft", "insert", "rule", "inet", "wall", "way", *text.split())
        yield
    finally:
        handles = json.loads(world.run("r", "nft", "-j", "list", "chain", "inet", "wall", "way"))["nftables"]
        first = next(item["rule"]["handle"] for item in handles if "rule" in item)
        world.run("r", "nft", "delete", "rule", "inet", "wall", "way", "handle", str(first))


def one(stream: LineStream, **ask: object) -> list[Dial]:
    return ends(results(stream, [{"id": "1", "ip": "10.91.2.2", "port": 8080, **ask}])["1"])


@pytest.mark.parametrize("proto", ["TCP", "UDP"])
def test_a_schedule_says_when_and_which_port(dialler: LineStream, proto: str) -> None:
    slots = [(0.0, 8080), (0.0, 0), (0.0, 99), (0.4, 8080), (0.4, 99)]
    begun, *dials = sorted(one(dialler, proto=proto, schedule=slots), key=lambda d: d.at)
    refused = End.RST if proto == "TCP" else End.ICMP
    assert sorted((d.port, d.end is refused) for d in [begun, *dials]) == [(99, True)] * 2 + [(8080, False)] * 3
    assert all(d.at - begun.at < 0.1 for d in dials[:2])
    assert all(0.39 < d.at - begun.at < 0.5 for d in dials[2:])


def test_a_schedule_that_waits_takes_nobodys_place(world: World, web: str) -> None:
    stream = world.dialler("c", "--width", "1")
    waiting = [{"id": f"w{i}", "ip": "10.91.2.2", "port": 8080, "schedule": [[1.0, 0]] * 5} for i in range(20)]
    stream.send(json.dumps({"op": "dial", "requests": waiting}))
    begun = time.monotonic()
    found = results(stream, [{"id": "now", "ip": "10.91.2.2", "port": 8080, "count": 20}])
    assert time.monotonic() - begun < 0.9
    assert {d.end for d in ends(found["now"])} == {End.ANSWERED}
    stream.close()


def test_a_scheduled_request_and_the_time_it_takes() -> None:
    request = DialRequest("k", "10.91.2.2", 80, schedule=((0.0, 80), (0.0, 81), (12.0, 80)), timeout=1.0)
    assert (request.count, request.longest) == (3, 13.0)
    assert (request.patient().schedule, request.patient().longest) == (request.schedule, 15.0)
    assert request.message("1", None)["schedule"] == [[0.0, 80], [0.0, 81], [12.0, 80]]
    with pytest.raises(ValueError, match="ascend"):
        DialRequest("k", "10.91.2.2", 80, schedule=((1.0, 80), (0.0, 80)))
    with pytest.raises(ValueError, match="no schedule"):
        DialRequest("k", "10.91.2.2", 80, schedule=((1.0, 80),), flow=True)
    with pytest.raises(ValueError, match="kept"):
        DialRequest("k", "10.91.2.2", 80, keep="a")
    with pytest.raises(ValueError, match="kept"):
        DialRequest("k", "10.91.2.2", 80, Transport.HTTP, keep="a", flow=True)


@pytest.mark.parametrize("ip", FAMILIES)
@pytest.mark.parametrize("proto", ["TCP", "UDP"])
def test_a_kept_socket_goes_on_until_released(dialler: LineStream, ip: str, proto: str) -> None:
    flow = {"ip": ip, "proto": proto, "flow": True, "keep": "a"}
    dials = [*one(dialler, **flow, count=2), *one(dialler, **flow), *one(dialler, **flow, release=True)]
    assert [d.end for d in dials] == [End.ANSWERED] * 4
    assert len({(d.local_port, d.source_port) for d in dials}) == 1
    (other,) = one(dialler, **{**flow, "keep": "b"})
    (anew,) = one(dialler, **flow)
    assert len({dials[0].local_port, other.local_port, anew.local_port}) == 3


def connections(world: World) -> int:
    """How many clients are connected to ``web`` over IPv4."""
    rows = [line.split() for line in world.run("s", "cat", "/proc/net/tcp").splitlines()]
    return sum(row[1].endswith(":1F90") and row[3] == "01" for row in rows)


def test_what_an_agent_kept_ends_with_it(world: World, web: str) -> None:
    stream = world.dialler()
    one(stream, flow=True, keep="a")
    assert connections(world) == 1
    stream.close()
    deadline = time.monotonic() + 5
    while connections(world):
        assert time.monotonic() < deadline


def test_a_cancelled_flow_asks_no_more(dialler: LineStream) -> None:
    flow = {"id": "f", "ip": "10.91.2.2", "port": 8080, "count": 100, "flow": True, "keep": "a", "pace": 0.3}
    dialler.send(json.dumps({"op": "dial", "requests": [flow]}))
    results(dialler, [{"id": "1", "ip": "10.91.2.2", "port": 8080}])
    dialler.send('{"op":"cancel"}')
    message: dict[str, Any] = {}
    while message.get("id") != "f":
        message = json.loads(dialler.receive(2.0) or "{}")
    assert message["cancelled"]
    assert [row[0] for row in message["dials"]] == ["answered"]


@pytest.mark.parametrize("proto", ["TCP", "UDP"])
def test_pace_longer_than_the_time_out_is_no_silence(dialler: LineStream, proto: str) -> None:
    dials = one(dialler, proto=proto, flow=True, count=3, pace=0.4, timeout=0.2)
    assert [d.end for d in dials] == [End.ANSWERED] * 3
    assert all(0.39 < later.at - sooner.at < 0.55 for sooner, later in itertools.pairwise(dials))


@pytest.mark.parametrize("patience", [0.0, 1.5])
def test_the_first_silence_of_a_flow_is_waited_out_and_the_next_are_not(dialler: LineStream, patience: float) -> None:
    dials = one(
        dialler, port=82, proto="UDP", flow=True, count=2, timeout=0.3, patience=patience
    )  # the router drops it
    assert [d.end for d in dials] == [End.TIMEOUT] * 2
    first, second = (d.took for d in dials)
    assert first >= max(0.3, patience) > first - 0.3
    assert second < 0.6


@pytest.mark.parametrize("ip", FAMILIES)
@pytest.mark.parametrize("verdict", ["reset", "hangup", "silence"])
def test_a_kept_connection_shows_its_true_end(world: World, dialler: LineStream, ip: str, verdict: str) -> None:
    code = (
        "import socket, struct, sys\n"
        f"l = socket.create_server(('{ip}', 8003), family=socket.AF_INET6 if ':' in '{ip}' else socket.AF_INET)\n"
        "print('up', flush=True); c = l.accept()[0]; line = c.recv(99).decode().strip()\n"
        'c.sendall(b\'{"name":"x","client":["?",1],"own":["?",1],"id":"\' + line.encode() + b\'"}\\n\')\n'
        "how = sys.stdin.readline().strip()\n"
        "if how == 'reset': c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n"
        "if how != 'silence': c.close()\n"
        "print('done', flush=True); sys.stdin.readline()"
    )
    flow = {"ip": ip, "port": 8003, "flow": True, "keep": "a", "timeout": 0.5}
    command = [*world.prefix("s"), "python3", "-u", "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        try:
            assert peer.stdout.readline() == "up\n"
            (first,) = one(dialler, **flow)
            peer.stdin.write(verdict + "\n")
            peer.stdin.flush()
            assert peer.stdout.readline() == "done\n"
            dead, *none = one(dialler, **flow, count=3)
        finally:
            peer.kill()
    assert (first.end, first.endpoint) == (End.ANSWERED, "x")
    assert none == []
    assert dead.local_port == first.local_port
    if verdict == "silence":
        assert (dead.end, dead.detail) == (End.TIMEOUT, "connected")
    elif verdict == "reset":
        assert (dead.end, dead.detail) == (End.CUT, "ECONNRESET")
    else:
        assert dead.end is End.CUT
    (anew,) = one(dialler, **flow)
    assert (anew.end, anew.detail) == (End.RST, "ECONNREFUSED")  # what broke is forgotten, and the peer is gone


@pytest.mark.parametrize("ip", FAMILIES)
def test_a_udp_flow_goes_on_after_a_refusal_which_blames_one_exchange(
    world: World, dialler: LineStream, ip: str
) -> None:
    flow = {"ip": ip, "proto": "UDP", "flow": True, "keep": "u", "timeout": 0.5, "pace": 0.05}
    (before,) = one(dialler, **flow)
    with rule(world, "udp dport 8080 reject with icmpx type port-unreachable"):
        during = one(dialler, **flow, count=2)
    after = one(dialler, **flow, count=2, release=True)
    assert [d.end for d in during] == [End.ICMP] * 2
    assert [d.end for d in after] == [End.ANSWERED] * 2
    assert {d.local_port for d in [*during, *after]} == {before.local_port}


PEER = """
import select, socket, struct, sys
ip = sys.argv[1]
six = ":" in ip
family = socket.AF_INET6 if six else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.bind((ip, 8004))
print("up", flush=True)

def answer():
    line, who = s.recvfrom(99)
    s.sendto(b'{"name":"x","client":["?",1],"own":["?",1],"id":"' + line.strip() + b'"}', who)
    return who

def refuse(who):
    udp = struct.pack("!HHHH", who[1], 8004, 8, 0)
    ends = socket.inet_pton(family, who[0]) + socket.inet_pton(family, ip)
    if six:
        icmp = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        inner = struct.pack("!IHBB", 6 << 28, 8, 17, 64) + ends + udp
        icmp.sendto(struct.pack("!BBHI", 1, 4, 0, 0) + inner, (who[0], 0))
        return
    icmp = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    inner = struct.pack("!BBHHHBBH", 69, 0, 28, 1, 0, 64, 17, 0) + ends + udp
    total = sum(struct.unpack("!14H", inner)) + 0x0303
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    icmp.sendto(struct.pack("!BBHI", 3, 3, ~total & 0xFFFF, 0) + inner, (who[0], 0))

who = answer()
sys.stdin.readline()
s.sendto(b'{"name":"stale","client":["?",1],"id":"old"}', who)
refuse(who)
print("said", flush=True)
answer()
select.select([], [], [], 0.1)  # by now the answer has been taken, and the next question waits for its pace
refuse(who)
answer()
"""


@pytest.mark.parametrize("ip", FAMILIES)
def test_what_arrives_between_two_exchanges_is_not_the_next_ones(world: World, dialler: LineStream, ip: str) -> None:
    """The peer answers at once; between two requests come an answer and a port unreachable that nobody asked for."""
    flow = {"ip": ip, "port": 8004, "proto": "UDP", "flow": True, "keep": "u", "timeout": 0.5, "pace": 0.3}
    command = [*world.prefix("s"), "python3", "-u", "-c", PEER, ip]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        try:
            assert peer.stdout.readline() == "up\n"
            (first,) = one(dialler, **flow)
            peer.stdin.write("\n")
            peer.stdin.flush()
            assert peer.stdout.readline() == "said\n"
            later = one(dialler, **flow, count=2)  # another unreachable follows the first of these answers
        finally:
            peer.kill()
    assert [(d.end, d.endpoint) for d in (first, *later)] == [(End.ANSWERED, "x")] * 3
    assert len({d.local_port for d in (first, *later)}) == 1


@pytest.mark.parametrize("ip", FAMILIES)
@pytest.mark.parametrize("proto", ["TCP", "UDP"])
@pytest.mark.parametrize("size", [100, 1473, 9000, 60000])
def test_a_large_question_comes_back_whole(dialler: LineStream, ip: str, proto: str, size: int) -> None:
    dials = one(dialler, ip=ip, proto=proto, size=size, count=4)
    assert {(d.end, d.endpoint) for d in dials} == {(End.ANSWERED, "web")}


def test_a_large_datagram_is_fragments_on_the_way(world: World, dialler: LineStream) -> None:
    with rule(world, "ip frag-off & 0x1fff != 0 drop"):
        (small,) = one(dialler, proto="UDP", size=1000, timeout=0.3)
        (large,) = one(dialler, proto="UDP", size=60000, timeout=0.3)
    assert (small.end, large.end) == (End.ANSWERED, End.TIMEOUT)


def test_a_client_that_never_ends_its_line_is_hung_up_on(world: World, web: str) -> None:
    code = (
        "import socket\n"
        "c = socket.create_connection(('10.91.2.2', 8080), 5)\n"
        "try:\n"
        "  for i in range(4096): c.sendall(b'x' * 65536)\n"
        "except ConnectionError: print('hung up')"
    )
    assert world.run("c", "python3", "-c", code) == "hung up\n"
