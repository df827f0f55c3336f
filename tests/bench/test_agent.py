"""The bench's agent: what it says of attempts that did not go as they should."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conformance.bench import agent

Agent = subprocess.Popen[str]
NOWHERE = "255.255.255.255"
"""Where no TCP connection can be opened to: connect() fails at once."""


@pytest.fixture
def measuring() -> Iterator[Agent]:
    with subprocess.Popen(
        [sys.executable, agent.__file__, "measure"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def ask(process: Agent, **what: object) -> None:
    assert process.stdin
    process.stdin.write(f"{json.dumps(what)}\n")
    process.stdin.flush()


def answer(process: Agent) -> Any:  # noqa: ANN401  JSON out
    assert process.stdout
    return json.loads(process.stdout.readline())


def test_an_attempt_that_the_kernel_had_to_repeat_is_none_that_reached(measuring: Agent) -> None:
    """A full backlog drops SYNs, as do rules that are not there yet; the kernel repeats each after a second."""
    assert measuring.stdout
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        stack.enter_context(socket.create_connection(door.getsockname()))  # has the only place
        ask(measuring, op="reach", to=door.getsockname(), limit=20.0, every=0.4)
        assert answer(measuring) == {"armed": True}
        # From the third on, 0.8 s later, the first is the next to knock: with its second SYN.
        deadline = time.monotonic() + 10
        while knocking(door.getsockname()[1]) < 3 and time.monotonic() < deadline:
            select.select([], [], [], 0.02)
        opened = time.time_ns()
        door.listen(64)
        while not select.select([measuring.stdout], [], [], 0.02)[0]:
            if select.select([door], [], [], 0)[0]:
                stack.enter_context(door.accept()[0]).send(b"here\n")
        assert answer(measuring)["at"] >= opened


def knocking(port: int) -> int:
    """Connections to ``port`` that wait for the answer to a SYN."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "02" for row in rows)


def test_what_cannot_even_be_sent_is_not_opened(measuring: Agent) -> None:
    ask(measuring, op="load", to=[[NOWHERE, 80]], seconds=0.05, width=2, timeout=0.9)
    found = answer(measuring)
    assert found["opened"] == 0
    assert found["refused"] > 0
