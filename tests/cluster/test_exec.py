"""Exec streams over a real WebSocket, running the real agent."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.cluster.exec import ExecStream
from conformance.cluster.failures import ApiRefused
from conformance.cluster.stream import StreamLost
from conformance.errors import ClusterError
from conformance.probe.bundle import agent_source

if TYPE_CHECKING:
    from tests.cluster.conftest import Peer

ECHO = [sys.executable, "-u", "-c", "import sys\nfor l in sys.stdin: print(l[::-1].strip())"]


def test_lines_go_there_and_back(peer: Peer) -> None:
    stream = ExecStream(peer.cluster(), "ns", "fine", ECHO)
    for number in range(100):
        stream.send(f"{number:03}")
    assert [stream.receive(5) for _ in range(100)] == [f"{n:03}"[::-1] for n in range(100)]
    assert stream.receive(0.05) is None
    stream.close()


def test_long_lines_are_put_together_again(peer: Peer) -> None:
    stream = ExecStream(peer.cluster(), "ns", "fine", ECHO)
    line = "ab" * 300_000
    stream.send(line)
    assert stream.receive(10) == line[::-1]
    stream.close()


def test_the_agent_introduces_itself(peer: Peer, tmp_path: Path) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text(agent_source())
    stream = ExecStream(peer.cluster(), "ns", "fine", [sys.executable, "-u", str(agent), "dial"])
    assert json.loads(stream.receive(10) or "{}")["op"] == "hello"
    stream.close()


@pytest.mark.parametrize(
    ("pod", "program", "why"),
    [
        ("fine", "import sys; print('out'); sys.exit('no such thing')", "exit status 1: no such thing"),
        ("fine", "print('out')", "the agent ended with exit status 0"),
        ("cut-when-told", "import time; print('out', flush=True); time.sleep(60)", "the connection was closed"),
        ("aborted-when-told", "import time; print('out', flush=True); time.sleep(60)", "lost"),
    ],
)
def test_the_end_of_a_stream_says_why(peer: Peer, pod: str, program: str, why: str) -> None:
    stream = ExecStream(peer.cluster(), "ns", pod, [sys.executable, "-c", program])
    assert stream.receive(10) == "out"
    if pod != "fine":
        stream.send("go")
    with pytest.raises(StreamLost, match=why):
        stream.receive(20)  # or None, if it only ever gave up waiting
    with pytest.raises(StreamLost):
        stream.send("more")
    stream.close()


def test_forbidden_exec_names_verb_and_resource_and_no_credentials(peer: Peer) -> None:
    with pytest.raises(ApiRefused, match=r"do not permit to create pods/exec in the namespace") as refusal:
        ExecStream(peer.cluster(), "ns", "forbidden", ECHO)
    assert refusal.value.status == 403
    assert "secret" not in str(refusal.value)


def test_a_missing_pod_is_named(peer: Peer) -> None:
    with pytest.raises(ApiRefused, match=r'404 NotFound to .*: pods "missing" not found'):
        ExecStream(peer.cluster(), "ns", "missing", ECHO)


def test_no_server_at_all(peer: Peer) -> None:
    cluster = peer.cluster()
    cluster.server = "http://127.0.0.1:9"
    with pytest.raises(ClusterError, match="connection refused"):
        ExecStream(cluster, "ns", "fine", ECHO)
