"""The agent against real namespaces: every way a dial can end, in both families."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cluster.stream import LineStream
from conformance.model.observation import End
from conformance.probe.answers import page_of
from conformance.probe.bundle import agent_source
from tests.probe.talk import ends, results

if TYPE_CHECKING:
    from tests.probe.conftest import World

FAMILIES = ("10.91.2.2", "fd91:2::2")


@pytest.mark.parametrize("ip", FAMILIES)
@pytest.mark.parametrize("proto", ["TCP", "UDP"])
def test_an_answer_says_who_and_from_where(dialler: LineStream, ip: str, proto: str) -> None:
    dials = ends(results(dialler, [{"id": "1", "ip": ip, "port": 8080, "proto": proto, "count": 20}])["1"])
    assert len(dials) == 20
    assert {d.end for d in dials} == {End.ANSWERED}
    assert {d.endpoint for d in dials} == {"web"}
    assert all(d.source == d.local and d.source_port == d.local_port for d in dials)
    assert len({d.local_port for d in dials}) == 20


@pytest.mark.parametrize(
    ("ip", "port", "icmp"),
    [
        ("10.91.2.2", 81, (3, 3, "10.91.1.1")),
        ("fd91:2::2", 81, (1, 4, "fd91:1::1")),
        ("10.91.2.2", 83, (3, 13, "10.91.1.1")),
        ("fd91:2::2", 83, (1, 1, "fd91:1::1")),
        ("10.91.2.2", 85, (3, 3, "10.91.1.2")),
        ("fd91:2::2", 85, (1, 4, "fd91:1::2")),
    ],
)
@pytest.mark.parametrize("proto", ["TCP", "UDP"])
def test_a_reject_names_type_code_and_sender_at_once(
    dialler: LineStream, ip: str, port: int, icmp: tuple[int, int, str], proto: str
) -> None:
    request = {"id": "1", "ip": ip, "port": port, "proto": proto, "count": 5, "parallel": 1, "timeout": 3}
    dials = ends(results(dialler, [request])["1"])
    assert {d.end for d in dials} == {End.ICMP}
    assert {(d.icmp.type, d.icmp.code, d.icmp.sender) for d in dials if d.icmp} == {icmp}
    # IPv6 TCP would notice at the SYN's retransmission only, after a second, without the error queue.
    assert min(d.took for d in dials) < 0.01


@pytest.mark.parametrize("ip", FAMILIES)
@pytest.mark.parametrize("port", [84, 99])
def test_a_reset_is_no_icmp_error(dialler: LineStream, ip: str, port: int) -> None:
    dials = ends(results(dialler, [{"id": "1", "ip": ip, "port": port, "count": 3}])["1"])
    assert [(d.end, d.icmp) for d in dials] == [(End.RST, None)] * 3


@pytest.mark.parametrize("ip", FAMILIES)
def test_a_closed_udp_port_answers_with_the_servers_own_icmp_error(dialler: LineStream, ip: str) -> None:
    (dial,) = ends(results(dialler, [{"id": "1", "ip": ip, "port": 99, "proto": "UDP"}])["1"])
    assert dial.end is End.ICMP
    assert dial.icmp is not None
    assert dial.icmp.sender == ip


@pytest.mark.parametrize("ip", FAMILIES)
@pytest.mark.parametrize("proto", ["TCP", "UDP"])
@pytest.mark.parametrize("port", [82, 86])
def test_silence_takes_the_time_out_and_is_framed_by_controls(
    dialler: LineStream, ip: str, proto: str, port: int
) -> None:
    request = {"id": "1", "ip": ip, "port": port, "proto": proto, "count": 4, "timeout": 0.4, "control": [ip, 8080]}
    result = results(dialler, [request])["1"]
    assert {d.end for d in ends(result)} == {End.TIMEOUT}
    assert all(0.4 <= d.took < 0.6 for d in ends(result))
    assert (result["before"], result["after"]) == (True, True)
    assert result["seconds"] < 1.0


def test_a_silent_control_is_reported(dialler: LineStream) -> None:
    request = {"id": "1", "ip": "10.91.2.2", "port": 82, "timeout": 0.2, "control": ["10.91.2.2", 82]}
    result = results(dialler, [request])["1"]
    assert (result["before"], result["after"]) == (False, False)


def test_somebody_else_is_no_control(world: World, dialler: LineStream) -> None:
    """What answers there without being an agent (a transparent proxy, say) proves nothing about the way."""
    talker = (
        "import socket; s = socket.create_server(('10.91.2.3', 8090)); print('up', flush=True)\n"
        "while True: c = s.accept()[0]; c.recv(4096); c.sendall(b'220 welcome\\n'); c.close()"
    )
    command = [*world.prefix("s"), "python3", "-u", "-c", talker]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "up\n"
        request = {"id": "1", "ip": "10.91.2.2", "port": 82, "timeout": 0.2, "control": ["10.91.2.3", 8090]}
        result = results(dialler, [request])["1"]
        stranger.kill()
    assert (result["before"], result["after"]) == (False, False)


@pytest.mark.parametrize("ip", ["10.91.9.1", "fd91:9::1", "10.91.8.1", "fd91:8::1"])
@pytest.mark.parametrize("proto", ["TCP", "UDP", "ICMP"])
def test_no_route_is_the_clients_own_kernels_word(dialler: LineStream, ip: str, proto: str) -> None:
    (dial,) = ends(results(dialler, [{"id": "1", "ip": ip, "port": 1, "proto": proto}])["1"])
    assert dial.end is End.NO_ROUTE
    assert dial.detail in ("EHOSTUNREACH", "EINVAL", "ENETUNREACH")


@pytest.mark.parametrize("ip", FAMILIES)
def test_echo(dialler: LineStream, ip: str) -> None:
    dials = ends(results(dialler, [{"id": "1", "ip": ip, "proto": "ICMP", "count": 3}])["1"])
    assert {(d.end, d.detail) for d in dials} == {(End.ANSWERED, "echo reply")}


@pytest.mark.parametrize("ip", ["10.91.2.3", "fd91:2::3"])
@pytest.mark.parametrize("proto", ["TCP", "UDP"])
def test_the_answer_leaves_from_the_address_that_was_asked(dialler: LineStream, ip: str, proto: str) -> None:
    """.3 is the second address of s: without IP_PKTINFO the UDP answer would come from .2 and be lost."""
    (dial,) = ends(results(dialler, [{"id": "1", "ip": ip, "port": 8080, "proto": proto}])["1"])
    assert dial.end is End.ANSWERED


@pytest.mark.parametrize("proto", ["TCP", "UDP"])
def test_a_fixed_source_port_is_kept(dialler: LineStream, proto: str) -> None:
    request = {"id": "1", "ip": "10.91.2.2", "port": 8080, "proto": proto, "count": 5, "parallel": 1}
    dials = ends(results(dialler, [{**request, "source_port": 45454}])["1"])
    assert [(d.end, d.local_port, d.source_port) for d in dials] == [(End.ANSWERED, 45454, 45454)] * 5


@pytest.mark.parametrize("proto", ["TCP", "UDP"])
def test_a_flow_stays_on_one_socket_and_keeps_its_pace(dialler: LineStream, proto: str) -> None:
    request = {"id": "1", "ip": "10.91.2.2", "port": 8080, "proto": proto, "count": 5, "flow": True, "pace": 0.05}
    dials = ends(results(dialler, [request])["1"])
    assert [d.end for d in dials] == [End.ANSWERED] * 5
    assert len({d.local_port for d in dials}) == 1
    assert all(b.at - a.at >= 0.05 for a, b in itertools.pairwise(dials))


def test_a_udp_flow_outlives_silence(dialler: LineStream) -> None:
    request = {"id": "1", "ip": "10.91.2.2", "port": 82, "proto": "UDP", "count": 3, "flow": True, "timeout": 0.1}
    dials = ends(results(dialler, [request])["1"])
    assert [d.end for d in dials] == [End.TIMEOUT] * 3
    assert len({d.local_port for d in dials}) == 1


@pytest.mark.parametrize(("proto", "count"), [("UDP", 2000), ("TCP", 15_000)])
def test_quick_dials_never_share_a_source_port(dialler: LineStream, proto: str, count: int) -> None:
    """A kernel that chooses for a connection takes every other port of its 28,000, and so some of them twice."""
    request = {"id": "1", "ip": "10.91.2.2", "port": 8080, "proto": proto, "count": count, "parallel": 32}
    dials = ends(results(dialler, [request])["1"])
    assert {d.end for d in dials} == {End.ANSWERED}
    assert len({d.local_port for d in dials}) == count


def test_silence_does_not_hold_up_the_rest(dialler: LineStream) -> None:
    """400 dials into the void wait side by side; 64 at a time they would take 6 seconds."""
    void = [{"id": f"v{i}", "ip": "10.91.2.2", "port": 82, "count": 10, "timeout": 1.0} for i in range(40)]
    live = [{"id": f"l{i}", "ip": "10.91.2.2", "port": 8080, "count": 10} for i in range(40)]
    begun = time.monotonic()
    found = results(dialler, void + live)
    assert time.monotonic() - begun < 3.0
    assert {d.end for i in range(40) for d in ends(found[f"l{i}"])} == {End.ANSWERED}


def test_http_pages_and_dns_payloads(world: World, dialler: LineStream) -> None:
    page = (
        "import http.server as h\n"
        "class P(h.BaseHTTPRequestHandler):\n"
        "  def do_GET(s):\n"
        "    s.send_response(503); s.send_header('X-Weight','2'); s.end_headers(); s.wfile.write(s.path.encode()*2)\n"
        "  def log_message(s,*a): pass\n"
        "server=h.HTTPServer(('',8000),P); print('up',flush=True); server.serve_forever()"
    )
    command = [*world.prefix("s"), "python3", "-c", page]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            request = {"id": "1", "ip": "10.91.2.2", "port": 8000, "proto": "HTTP", "path": "/healthz"}
            (dial,) = ends(results(dialler, [request])["1"])
        finally:
            process.kill()
    found = page_of(dial)
    assert found is not None
    assert (found.status, found.body, found.headers["x-weight"]) == (503, "/healthz/healthz", "2")
    raw = {"id": "2", "ip": "10.91.2.2", "port": 8080, "proto": "UDP", "payload": b"hello".hex()}
    (dial,) = ends(results(dialler, [raw])["2"])
    assert json.loads(bytes.fromhex(dial.detail))["id"] == "hello"


def test_a_listener_that_is_no_agent_and_one_that_hangs_up(world: World, dialler: LineStream) -> None:
    code = (
        "import socket\n"
        "a,b=socket.create_server(('',8001)),socket.create_server(('',8002)); print('up',flush=True)\n"
        "c=a.accept()[0]; c.send(b'SSH-2.0\\n'); d=b.accept()[0]; d.recv(9); d.close(); c.recv(99)"
    )
    with subprocess.Popen([*world.prefix("s"), "python3", "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            (banner,) = ends(results(dialler, [{"id": "1", "ip": "10.91.2.2", "port": 8001}])["1"])
            (cut,) = ends(results(dialler, [{"id": "2", "ip": "10.91.2.2", "port": 8002}])["2"])
        finally:
            process.kill()
    assert (banner.end, banner.endpoint) == (End.ANSWERED, "")
    assert "SSH-2.0" in banner.detail
    assert cut.end is End.CUT


def test_cancel_ends_what_waits(dialler: LineStream) -> None:
    request = {"id": "1", "ip": "10.91.2.2", "port": 82, "count": 1000, "parallel": 1, "timeout": 0.2}
    dialler.send(json.dumps({"op": "dial", "requests": [request, {**request, "id": "2"}]}))
    dialler.send('{"op":"cancel","ids":["1"]}')
    result = results(dialler, [{"id": "3", "ip": "10.91.2.2", "port": 8080}])
    assert ends(result["3"])[0].end is End.ANSWERED
    dialler.send('{"op":"cancel"}')
    deadline = time.monotonic() + 5
    while True:
        message = json.loads(dialler.receive(1.0) or "{}")
        if message.get("id") == "2":
            break
        assert time.monotonic() < deadline
    assert message["cancelled"]
    assert len(message["dials"]) < 30


@pytest.mark.parametrize(
    "request_",
    [{"id": "x", "ip": "nonsense"}, {"id": "x", "ip": "::1", "proto": "IPX"}, {"id": "x", "ip": "1.1.1.1", "count": 0}],
)
def test_a_request_that_makes_no_sense_is_answered(dialler: LineStream, request_: dict[str, Any]) -> None:
    assert "not understood" in results(dialler, [request_])["x"]["trouble"]


def test_it_introduces_its_place(world: World) -> None:
    stream = world.dialler("s")
    message = json.loads(stream.receive(5.0) or "{}")
    stream.close()
    assert message["op"] == "hello"
    found = {(a["dev"], a["ip"], a["prefix"]) for a in message["addresses"]}
    assert {
        ("eth0", "10.91.2.2", 24),
        ("eth0", "10.91.2.3", 24),
        ("eth0", "fd91:2::3", 64),
        ("lo", "::1", 128),
    } <= found


def test_it_beats_and_ends_with_its_stdin(world: World) -> None:
    stream = world.dialler()
    beats = 0
    deadline = time.monotonic() + 10
    while beats < 3 and time.monotonic() < deadline:
        beats += json.loads(stream.receive(2.0) or "{}").get("op") == "beat"
    begun = time.monotonic()
    stream.close()
    assert beats == 3
    assert time.monotonic() - begun < 1.0


@pytest.mark.parametrize(("linger", "serves"), [("2", True), ("0", False)])
def test_a_terminating_server_serves_for_its_linger_time(linger: str, serves: bool) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", agent_source(), "serve", "--port", str(port), "--linger", linger]
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
        process.send_signal(signal.SIGTERM)
        if serves:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(b"ping\n")
                assert json.loads(connection.recv(999))["id"] == "ping"
        begun = time.monotonic()
        assert process.wait(5) == 0
        assert (time.monotonic() - begun > 1.0) is serves


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", agent_source(), "serve", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("agent: cannot serve:")
    assert done.stderr.count("\n") == 1
