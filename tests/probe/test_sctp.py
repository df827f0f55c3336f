"""SCTP without the kernel's, through conntrack and NAT, rejects and drops."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.cluster.command import CommandStream, Elsewhere
from conformance.model.addresses import Protocol
from conformance.model.client import Destination, DestinationKind
from conformance.model.observation import Dial, End
from conformance.probe.agent import sctp
from conformance.probe.agent.sctp import SctpPacket, crc32c, initiation, sctp_packed, sctp_unpacked, tag_and_speech
from conformance.probe.bundle import agent_source
from conformance.probe.request import DialRequest, Transport
from tests.probe.talk import ends, results

if TYPE_CHECKING:
    from tests.probe.conftest import World

VIPS = ("10.96.0.1", "fd96::1")
BACKENDS = ("10.91.2.2", "fd91:2::2")
RULES = """
table inet vip {
  chain pre {
    type nat hook prerouting priority -100;
    ip daddr 10.96.0.1 sctp dport 80 counter dnat ip to 10.91.2.3:8080
    ip6 daddr fd96::1 sctp dport 80 counter dnat ip6 to [fd91:2::3]:8080
    ip daddr 10.96.0.2 sctp dport 80 counter meta mark set 1 dnat ip to 10.91.2.2:8080
    ip6 daddr fd96::2 sctp dport 80 counter meta mark set 1 dnat ip6 to [fd91:2::2]:8080
  }
  chain post { type nat hook postrouting priority 100; meta mark 1 masquerade fully-random; }
  chain way {
    type filter hook forward priority 0;
    ct state invalid counter drop
    sctp dport 81 reject with icmpx type port-unreachable
    sctp dport 82 drop
    sctp dport 83 reject with icmpx type admin-prohibited
  }
}
"""


@pytest.fixture(scope="module")
def served(own_world: World) -> Iterator[World]:
    with ExitStack() as stack:
        own_world.serve(stack, "s", "--port", "8080", "--name", "web", "--sctp")
        subprocess.run([*own_world.prefix("r"), "nft", "-f", "-"], input=RULES, text=True, check=True)
        yield own_world


@pytest.fixture
def stream(served: World) -> Iterator[CommandStream]:
    dialler = served.dialler()
    yield dialler
    dialler.close()


def dialled(stream: CommandStream, ip: str, port: int, **more: object) -> list[Dial]:
    return ends(results(stream, [{"id": "1", "ip": ip, "port": port, "proto": "SCTP", **more}])["1"])


@pytest.mark.parametrize("ip", [*BACKENDS, "10.91.2.3", "fd91:2::3"])
def test_an_init_is_answered_with_who_and_from_where(stream: CommandStream, ip: str) -> None:
    dials = dialled(stream, ip, 8080, count=20)
    assert {(d.end, d.endpoint, d.port) for d in dials} == {(End.ANSWERED, "web", 8080)}
    assert all((d.source, d.source_port) == (d.local, d.local_port) for d in dials)
    assert len({d.local_port for d in dials}) == 20


@pytest.mark.parametrize("ip", VIPS)
def test_it_passes_a_translation_of_the_destination(stream: CommandStream, ip: str) -> None:
    """Conntrack translates no packet with a wrong checksum."""
    dials = dialled(stream, ip, 80, count=20)
    assert {(d.end, d.endpoint) for d in dials} == {(End.ANSWERED, "web")}
    assert all((d.source, d.source_port) == (d.local, d.local_port) for d in dials)


@pytest.mark.parametrize("ip", VIPS)
def test_conntrack_takes_the_flow_for_closed_afterwards(served: World, stream: CommandStream, ip: str) -> None:
    (dial,) = dialled(stream, ip, 80)
    table = served.run("r", "cat", "/proc/net/nf_conntrack").splitlines()
    (entry,) = [line for line in table if " sctp " in line and f" sport={dial.local_port} dport=80 " in line]
    assert "CLOSED" in entry.split()


@pytest.mark.parametrize(("ip", "router"), [("10.96.0.2", "10.91.2.1"), ("fd96::2", "fd91:2::1")])
def test_the_server_sees_a_masqueraded_source(stream: CommandStream, ip: str, router: str) -> None:
    dials = dialled(stream, ip, 80, count=20)
    assert {(d.end, d.endpoint, d.source) for d in dials} == {(End.ANSWERED, "web", router)}
    assert any(d.source_port != d.local_port for d in dials)


@pytest.mark.parametrize(
    ("ip", "port", "icmp"),
    [
        ("10.91.2.2", 81, (3, 3, "10.91.1.1")),
        ("fd91:2::2", 81, (1, 4, "fd91:1::1")),
        ("10.91.2.2", 83, (3, 13, "10.91.1.1")),
        ("fd91:2::2", 83, (1, 1, "fd91:1::1")),
    ],
)
def test_a_reject_names_type_code_and_sender(
    stream: CommandStream, ip: str, port: int, icmp: tuple[int, int, str]
) -> None:
    dials = dialled(stream, ip, port, count=5, timeout=3)
    assert {(d.end, d.icmp and (d.icmp.type, d.icmp.code, d.icmp.sender)) for d in dials} == {(End.ICMP, icmp)}
    assert max(d.took for d in dials) < 0.5


@pytest.mark.parametrize("ip", BACKENDS)
def test_what_befalls_one_dial_is_not_anothers(stream: CommandStream, ip: str) -> None:
    """All raw sockets that ask one address hear of all its answers and errors."""
    asks = [
        {"id": str(port), "ip": ip, "port": port, "proto": "SCTP", "count": 12, "timeout": 0.5}
        for port in (8080, 81, 82, 99)
    ]
    found = {port: {d.end for d in ends(result)} for port, result in results(stream, asks).items()}
    assert found == {"8080": {End.ANSWERED}, "81": {End.ICMP}, "82": {End.TIMEOUT}, "99": {End.TIMEOUT}}


def test_no_route_and_a_fixed_source_port(stream: CommandStream) -> None:
    assert [d.end for d in dialled(stream, "10.91.9.1", 80)] == [End.NO_ROUTE]
    again = dialled(stream, "10.91.2.2", 8080, source_port=45454, count=3, parallel=1)
    assert [(d.end, d.local_port, d.source_port) for d in again] == [(End.ANSWERED, 45454, 45454)] * 3


@pytest.mark.parametrize("ip", VIPS)
def test_a_flow_of_inits_and_a_large_one(stream: CommandStream, ip: str) -> None:
    assert [d.end for d in dialled(stream, ip, 80, flow=True, count=3)] == [End.ANSWERED] * 3
    assert [d.end for d in dialled(stream, ip, 80, size=1000)] == [End.ANSWERED]


def test_an_abort_is_a_reset(served: World, stream: CommandStream) -> None:
    """What a kernel with SCTP says for a closed port."""
    code = (
        agent_source().rpartition("if __name__")[0]
        + """
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
print("up", flush=True)
while True:
    data, client = sock.recvfrom(9999)
    init = sctp_unpacked(data[20:])
    if init.kind == INIT and init.target == 98:
        tag, _ = tag_and_speech(init.value)
        sock.sendto(sctp_packed(SctpPacket(98, init.source, tag ^ 1, ABORT, b"")), client)  # somebody else's tag
        sock.sendto(sctp_packed(SctpPacket(98, init.source, tag, ABORT, b"")), client)
"""
    )
    with subprocess.Popen([*served.prefix("s"), "python3", "-c", code], stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdout is not None
        assert peer.stdout.readline() == "up\n"
        (dial,) = dialled(stream, "10.91.2.2", 98)
        peer.kill()
    assert (dial.end, dial.detail) == (End.RST, "ABORT")


def test_where_nobody_serves_the_kernel_refuses_the_protocol(served: World) -> None:
    stream = served.dialler("s")
    (dial,) = dialled(stream, "10.91.1.2", 80)
    stream.close()
    assert dial.end is End.ICMP
    assert dial.icmp is not None
    assert (dial.icmp.type, dial.icmp.code, dial.icmp.sender) == (3, 2, "10.91.1.2")


def test_without_the_right_to_raw_sockets_it_says_so(served: World) -> None:
    bare = (*served.prefix("c"), "setpriv", "--inh-caps=-net_raw", "--bounding-set=-net_raw")
    stream = CommandStream.python(Elsewhere("bare", bare), agent_source(), "dial")
    (dial,) = dialled(stream, "10.91.2.2", 8080)
    stream.close()
    assert (dial.end, dial.detail) == (End.ERROR, "EPERM: a raw socket takes CAP_NET_RAW")
    command = [*bare, "python3", "-c", agent_source(), "serve", "--port", "7777", "--sctp"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr == "agent: cannot serve: [Errno 1] SCTP takes CAP_NET_RAW\n"


def test_the_kernels_sctp_stays_unloaded(stream: CommandStream) -> None:
    assert {d.end for d in dialled(stream, "10.91.2.2", 8080)} == {End.ANSWERED}
    assert not any(line.startswith("SCTP") for line in Path("/proc/net/protocols").read_text().splitlines())


def test_a_kernel_that_answers_for_itself_is_an_error_and_is_not_served(served: World) -> None:
    served.run("c", "sh", "-c", "echo 'SCTP 1304 0' > /run/protocols")
    agent = agent_source().replace('"/proc/net/protocols"', '"/run/protocols"')
    stream = CommandStream.python(Elsewhere("c", served.prefix("c")), agent, "dial")
    (dial,) = dialled(stream, "10.91.2.2", 8080)
    stream.close()
    assert dial.end is End.ERROR
    assert "SCTP loaded" in dial.detail
    command = [*served.prefix("c"), "python3", "-c", agent, "serve", "--port", "7777", "--sctp"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        assert "SCTP is not served" in server.stderr.readline()
        server.kill()


@pytest.mark.parametrize(
    ("text", "loaded"), [("protocol size\nTCP 2\n", False), ("protocol\nSCTPv6 1\nSCTP 1\n", True)]
)
def test_a_kernel_that_speaks_sctp_itself_is_noticed(monkeypatch: pytest.MonkeyPatch, text: str, loaded: bool) -> None:
    monkeypatch.setattr(sctp, "file_text", lambda _: text)
    assert sctp.kernel_speaks_sctp() is loaded


def test_packets_are_as_the_rfc_has_them() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    sent = SctpPacket(1, 2, 0, sctp.INIT, initiation(7, b"hello\n", cookie=b"none"))
    data = sctp_packed(sent)
    assert sctp_unpacked(data) == sent
    assert len(data) % 4 == 0
    assert int.from_bytes(data[8:12], "little") == crc32c(data[:8] + bytes(4) + data[12:])
    assert tag_and_speech(sent.value) == (7, b"hello")
    assert sctp_unpacked(b"short") is None
    assert tag_and_speech(b"") == (0, b"")


def test_a_service_port_of_sctp_is_dialled_as_such() -> None:
    destination = Destination(DestinationKind.CLUSTER_IP, "fd00::1", 80, Protocol.SCTP, "ns/web")
    request = DialRequest.to(destination, "k", 3)
    assert request.transport is Transport.SCTP
    assert json.loads(json.dumps(request.message("1", None)))["proto"] == "SCTP"
