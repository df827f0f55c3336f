"""A watch sees every packet that leaves for its networks, and no other."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cluster.command import CommandStream, Elsewhere
from conformance.model.client import Client, ClientKind
from conformance.model.observation import Dial, End
from conformance.probe.agent.wire import described
from conformance.probe.bundle import agent_source
from conformance.probe.prober import Prober
from conformance.probe.request import DialRequest, Transport
from conformance.probe.vantage import Vantage
from tests.probe.talk import ends, results

if TYPE_CHECKING:
    from tests.probe.conftest import World

VIPS = ["10.96.0.0/16", "fd96::/108"]
SPARE = """
ip -n c link add spare type veth peer name other; ip -n c link set spare up; ip -n c link set other up
ip -n c addr add 10.97.0.1/24 dev spare; ip -n c neigh add 10.97.0.9 lladdr 02:00:00:00:00:09 dev spare
ip -n r route add blackhole 10.96.0.0/16; ip -n r route add blackhole fd96::/64
"""


@pytest.fixture(scope="module")
def wires(own_world: World) -> World:
    subprocess.run([*own_world.prefix("r"), "sh", "-ec", SPARE], check=True)
    return own_world


@pytest.fixture
def stream(wires: World) -> Iterator[CommandStream]:
    dialler = wires.dialler()
    yield dialler
    dialler.close()


def watched(stream: CommandStream, networks: list[str], *dials: dict[str, Any], **more: object) -> Dial:
    """What a watch saw while these dials were made."""
    watch = {"id": "w", "ip": "0.0.0.0", "proto": "WIRE", "networks": networks, "timeout": 0.6, **more}
    asks = [{"id": str(n), "timeout": 0.2, "count": 1, **dial} for n, dial in enumerate(dials)]
    (dial,) = ends(results(stream, [watch, *asks])["w"])
    return dial


@pytest.mark.parametrize(
    ("ip", "own"), [("10.96.1.1", "10.91.1.2"), ("fd96::1", "fd91:1::2"), ("fd96::f:ffff", "fd91:1::2")]
)
@pytest.mark.parametrize("proto", ["TCP", "UDP", "SCTP"])
def test_a_packet_that_leaves_for_a_network_is_told(stream: CommandStream, ip: str, own: str, proto: str) -> None:
    dial = watched(stream, VIPS, {"ip": ip, "port": 4711, "proto": proto})
    assert dial.end is End.ANSWERED
    told = json.loads(dial.detail)
    seen = {"device": "eth0", "source": own, "destination": ip, "protocol": proto, "port": 4711}
    assert told == {"packets": told["packets"], "seen": [seen] * told["packets"]}
    assert 0.6 <= dial.took < 0.9


def test_all_are_counted_and_ten_are_told(stream: CommandStream) -> None:
    burst = {"ip": "10.96.1.1", "port": 9, "proto": "UDP", "count": 25, "parallel": 25}
    told = json.loads(watched(stream, VIPS, burst).detail)
    assert (told["packets"], len(told["seen"])) == (25, 10)


def test_a_watch_begins_before_the_dials_that_were_asked_for_with_it(wires: World) -> None:
    stream = wires.dialler("c", "--width", "1")
    dials = [{"id": str(n), "ip": "10.96.1.1", "port": 9, "proto": "UDP", "timeout": 0.1} for n in range(10)]
    watch = {"id": "w", "ip": "0.0.0.0", "proto": "WIRE", "networks": VIPS, "timeout": 2.0}
    found = results(stream, [*dials, watch])
    stream.close()
    assert json.loads(ends(found["w"])[0].detail)["packets"] == 10


def test_packets_for_other_networks_are_none_of_its_business(stream: CommandStream) -> None:
    cases = [
        ("10.96.0.0/16", "10.98.0.9"),
        ("10.96.0.0/16", "10.95.255.255"),
        ("10.96.0.1/32", "10.96.0.2"),
        ("fd96::/108", "fd96::10:1"),
        ("fd96::1", "fd96::2"),
        ("0.0.0.0/0", "fd96::3"),
        ("fd00::/8", "10.96.0.3"),  # of ::/0 are the kernel's own questions for neighbours
    ]
    for network, ip in cases:
        alone = {"ip": ip, "port": 9, "proto": "UDP"}
        assert watched(stream, [network], alone, timeout=0.2).end is End.TIMEOUT
        assert watched(stream, [ip], alone, timeout=0.2).end is End.ANSWERED


def test_silence_is_the_good_end_and_needs_no_control(stream: CommandStream) -> None:
    watch = {"id": "w", "ip": "0.0.0.0", "proto": "WIRE", "networks": VIPS, "timeout": 0.2}
    result = results(stream, [{**watch, "control": ["10.91.2.2", 99]}])["w"]
    assert [(d.end, d.detail) for d in ends(result)] == [(End.TIMEOUT, "")]
    assert result["after"] is None


def test_only_the_way_out_counts_and_only_on_the_watched_wire(stream: CommandStream, wires: World) -> None:
    spare = {"ip": "10.97.0.9", "port": 9, "proto": "UDP"}
    assert watched(stream, ["10.97.0.9/32"], spare).end is End.TIMEOUT
    assert '"spare"' in watched(stream, ["10.97.0.9/32"], spare, interfaces=["eth0", "spare"]).detail
    incoming = watched(stream, ["10.91.1.2/32"], {"ip": "10.91.2.2", "port": 99}, interfaces=["eth0"])
    assert incoming.end is End.TIMEOUT  # the resets that came in
    router = wires.dialler("r")  # it has no default route: all its wires are watched
    assert "hello" in (router.receive(10.0) or "")
    watch = {"id": "w", "ip": "0.0.0.0", "proto": "WIRE", "networks": ["10.91.2.2/32"], "timeout": 0.6}
    router.send(json.dumps({"op": "dial", "requests": [watch]}))
    results(stream, [{"id": "1", "ip": "10.91.2.2", "port": 99, "schedule": [[0.2, 0]]}])
    message: dict[str, Any] = {}
    while message.get("op") != "result":
        message = json.loads(router.receive(2.0) or "{}")
    router.close()
    told = json.loads(ends(message)[0].detail)
    assert {(s["device"], s["source"], s["port"]) for s in told["seen"]} == {("s0", "10.91.1.2", 99)}


def test_what_cannot_be_watched_is_an_error_that_says_why(wires: World, stream: CommandStream) -> None:
    gone = watched(stream, VIPS, interfaces=["eth7"])
    assert (gone.end, gone.detail) == (End.ERROR, "ENODEV eth7")
    bare = (*wires.prefix("c"), "setpriv", "--inh-caps=-net_raw", "--bounding-set=-net_raw")
    forbidden = CommandStream.python(Elsewhere("bare", bare), agent_source(), "dial")
    assert watched(forbidden, VIPS).detail == "EPERM: a packet socket takes CAP_NET_RAW"
    forbidden.close()
    alone = CommandStream.python(Elsewhere("alone", (*wires.prefix("c"), "unshare", "-n")), agent_source(), "dial")
    nowhere = watched(alone, VIPS)
    assert (nowhere.end, nowhere.detail) == (End.ERROR, "no interface leads out of here")
    alone.close()


@pytest.mark.parametrize("networks", [[], ["10.96.0.0/33"], ["elsewhere"]])
def test_a_watch_for_nothing_is_not_understood(stream: CommandStream, networks: list[str]) -> None:
    request = {"id": "w", "ip": "0.0.0.0", "proto": "WIRE", "networks": networks}
    assert "not understood" in results(stream, [request])["w"]["trouble"]


def test_fragments_and_extension_headers() -> None:
    ends_ = bytes(15) + b"\1" + bytes(15) + b"\2"
    udp = bytes.fromhex("1234 0035 0008 0000")
    behind_options = (
        bytes.fromhex("60000000 0018 00 40") + ends_ + bytes([60, 0]) + bytes(6) + bytes([17, 0]) + bytes(6)
    )
    assert described("eth0", 0x86DD, behind_options + udp)["port"] == 53
    first = bytes.fromhex("60000000 0010 2c 40") + ends_ + bytes.fromhex("11 00 0001 00000007")
    later = bytes.fromhex("60000000 0010 2c 40") + ends_ + bytes.fromhex("11 00 0009 00000007")
    assert [described("eth0", 0x86DD, head + udp)["port"] for head in (first, later)] == [53, 0]
    part = bytes.fromhex("4500 001c 0001 0001 40 11 0000 0a000001 0a000002")
    assert described("eth0", 0x0800, part + udp) == {
        "device": "eth0", "source": "10.0.0.1", "destination": "10.0.0.2", "protocol": "UDP", "port": 0
    }  # fmt: skip
    assert described("eth0", 0x0800, part[:9] + b"\x59" + part[10:])["protocol"] == "89"


def test_the_driver_asks_for_a_watch_without_controls(wires: World) -> None:
    request = DialRequest.watch("k", VIPS, 0.5)
    assert (request.transport, request.longest) == (Transport.WIRE, 0.5)
    assert "control" not in request.message("1", ("10.91.2.2", 8080))
    vantage = Vantage(Client("c", ClientKind.EXTERNAL, "r", ()), lambda _: wires.dialler(), (("10.91.2.2", 8080),))
    with Prober([vantage]) as prober:
        ((_, seen),) = prober.sweep({"c": [request]})
    assert seen.ends() == {End.TIMEOUT: 1}
    assert (seen.control_before, seen.control_after) == (None, None)
