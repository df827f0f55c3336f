"""A real packet through real rules is seen, and whatever becomes of the tracer, its table goes with it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conformance.cluster.command import CommandStream
from conformance.cluster.stream import StreamLost
from conformance.model.addresses import Protocol
from conformance.probe.trace.table import Dialled, commands
from conformance.probe.trace.tracer import COMMAND, Tracer
from tests.probe.conftest import World

NAME = "nftconform-test"
SERVER = "10.91.2.2"


@contextmanager
def tracing(world: World, table: list[str]) -> Iterator[tuple[Tracer, CommandStream]]:
    """The router's packets, and the stream to its tracer."""
    streams: list[CommandStream] = []

    def opened() -> CommandStream:
        streams.append(CommandStream("r", [*world.prefix("r"), *COMMAND]))
        return streams[0]

    with Tracer(opened, table) as tracer:
        yield tracer, streams[0]


def tables(world: World) -> str:
    return world.run("r", "nft", "list", "tables")


def knock(world: World, port: int) -> None:
    """One packet that nobody answers, from the client through the router."""
    send = "import socket,sys;socket.socket(2,2).sendto(b'x',(sys.argv[1],int(sys.argv[2])))"
    subprocess.run([*world.prefix("c"), "python3", "-c", send, SERVER, str(port)], check=True)


def test_what_passes_is_told_rule_by_rule_and_nothing_else_is(world: World) -> None:
    with tracing(world, commands(NAME, "test", Dialled(SERVER, 82, Protocol.UDP))) as (tracer, _):
        assert f"inet {NAME}" in tables(world)
        knock(world, 83)
        knock(world, 82)
        lines = [line for line in tracer.seen() if "127.0.0.1" not in line]
        assert any("inet wall way rule" in line and line.endswith("(verdict drop)") for line in lines), lines
        assert not any("dport 83 " in line for line in lines if " packet: " in line)
    assert NAME not in tables(world)


def gone(world: World) -> bool:
    """Whether the kernel has taken the table away; it does so as soon as the process is no more."""
    check = f"for i in $(seq 200); do nft list tables | grep -q {NAME} || exit 0; sleep 0.05; done; exit 1"
    done = subprocess.run([*world.prefix("r"), "sh", "-c", check], check=False)
    return done.returncode == 0


@pytest.mark.parametrize("how", ["killed", "lost"])
def test_the_table_is_gone_however_the_tracer_ends(world: World, how: str) -> None:
    with tracing(world, commands(NAME, "test", Dialled(SERVER, 82, Protocol.TCP))) as (_, stream):
        assert NAME in tables(world)
        if how == "killed":
            os.kill(stream._process.pid, signal.SIGKILL)
        else:
            stream._in.close()  # as when the API server is gone
        assert gone(world)


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize(("ip", "end"), [(SERVER, "10.91.2.3"), ("fd91:2::2", "fd91:2::3")])
def test_the_kernel_takes_every_rule(world: World, protocol: Protocol, ip: str, end: str) -> None:
    dialled = Dialled(ip, 0 if protocol is Protocol.ICMP else 80, protocol, ((end, 8080),))
    text = "\n".join(commands(NAME, "test", dialled)).replace("flags owner; ", "")
    subprocess.run([*world.prefix("r"), "nft", "--check", "-f", "-"], input=text, text=True, check=True)


def test_what_nft_does_not_take_is_told_in_a_sentence(world: World) -> None:
    with pytest.raises(StreamLost, match=r"r: nft says .*syntax error"), tracing(world, ["add nonsense"]):
        pass
    assert NAME not in tables(world)
