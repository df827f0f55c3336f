"""Exec streams and logs on the kubelet's own port."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from tests.lab.kubelet.sandbox import Cluster, Sandbox, drive, kubelet_session

Json = dict[str, Any]
Params = list[tuple[str, str]]
Opening = AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]
POD = {"command": ["sh", "-c", "echo out; echo err >&2; exec sleep 1000"], "env": [{"name": "FOO", "value": "bar"}]}


def query(*command: str, streams: str = "output error", tty: bool = False) -> Params:
    found: Params = [("command", word) for word in command]
    found += [(name, "1") for name in streams.split()]
    return [*found, ("tty", "1")] if tty else found


class Stream:
    """One exec stream: what came out of it, by channel."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.output = {1: b"", 2: b"", 3: b""}

    async def until(self, channel: int, text: bytes) -> None:
        while text not in self.output[channel]:
            assert await self.one(), self.output

    async def one(self) -> bool:
        message = await self.socket.receive(timeout=10)
        if message.type is not WSMsgType.BINARY:
            return False
        self.output[message.data[0]] += message.data[1:]
        return True

    async def end(self) -> Json:
        while await self.one():
            pass
        status: Json = json.loads(self.output[3])
        return status


def exec_in(session: aiohttp.ClientSession, params: Params, pod: str = "exec", version: int = 5) -> Opening:
    return session.ws_connect(
        f"/exec/default/{pod}/c", params=params, protocols=[f"v{version}.channel.k8s.io"], max_msg_size=0
    )


@pytest.fixture(scope="module")
def pod(sandbox: Sandbox) -> Sandbox:
    """The sandbox, with a pod named exec."""

    async def scenario(cluster: Cluster) -> None:
        await cluster.create("exec", POD)
        await cluster.ready("exec")

    drive(sandbox, scenario)
    return sandbox


def both(pod: Sandbox, scenario: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
    async def run() -> None:
        async with kubelet_session(pod) as session:
            await scenario(session)

    asyncio.run(run())


@pytest.mark.parametrize("version", [4, 5])
def test_output_error_and_exit_code_arrive_apart(pod: Sandbox, version: int) -> None:
    async def scenario(session: aiohttp.ClientSession) -> None:
        command = query("sh", "-c", "echo $FOO; echo oops >&2; hostname; exit 7")
        async with exec_in(session, command, version=version) as socket:
            assert socket.protocol == f"v{version}.channel.k8s.io"
            stream = Stream(socket)
            status = await stream.end()
        assert (stream.output[1], stream.output[2]) == (b"bar\nexec\n", b"oops\n")
        assert (status["status"], status["reason"]) == ("Failure", "NonZeroExitCode")
        assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]
        async with exec_in(session, query("true"), version=version) as socket:
            assert (await Stream(socket).end())["status"] == "Success"
        async with exec_in(session, query("no-such-program"), version=version) as socket:
            status = await Stream(socket).end()
            assert "executable file not found" in status["message"]

    both(pod, scenario)


def test_stdin_streams_both_ways_without_delay_and_ends(pod: Sandbox) -> None:
    async def scenario(session: aiohttp.ClientSession) -> None:
        async with exec_in(session, query("cat", streams="input output")) as socket:
            stream = Stream(socket)
            times = []
            for number in range(50):
                began = time.perf_counter()
                await socket.send_bytes(b"\0line %d\n" % number)
                await stream.until(1, b"line %d\n" % number)
                times.append(time.perf_counter() - began)
            await socket.send_str("\0text\u00fc\n")  # as kubernetes.stream sends a str
            await stream.until(1, "text\u00fc\n".encode())
            await socket.send_bytes(b"\xff\0")
            assert (await stream.end())["status"] == "Success"
        assert sorted(times)[5] < 0.02  # a delayed acknowledgement would cost each of them 40 ms

    both(pod, scenario)


def test_large_data_passes_whole_both_ways(pod: Sandbox) -> None:
    data = os.urandom(3_000_000)

    async def scenario(session: aiohttp.ClientSession) -> None:
        async with exec_in(session, query("sh", "-c", "cat | tee /tmp/copy", streams="input output")) as socket:
            stream = Stream(socket)

            async def send() -> None:
                for start in range(0, len(data), 100_000):
                    await socket.send_bytes(b"\0" + data[start : start + 100_000])
                await socket.send_bytes(b"\xff\0")

            sending = asyncio.create_task(send())
            await stream.end()
            await sending
        assert stream.output[1] == data
        async with exec_in(session, query("sha256sum", "/tmp/copy")) as socket:
            stream = Stream(socket)
            await stream.end()
            assert stream.output[1].split()[0].decode() == hashlib.sha256(data).hexdigest()

    both(pod, scenario)


def test_a_reader_that_pauses_loses_nothing(pod: Sandbox) -> None:
    async def scenario(session: aiohttp.ClientSession) -> None:
        async with exec_in(session, query("head", "-c", "20000000", "/dev/zero")) as socket:
            await asyncio.sleep(1.5)  # longer than the drain after the end of a process
            stream = Stream(socket)
            assert (await stream.end())["status"] == "Success"
            assert len(stream.output[1]) == 20_000_000

    both(pod, scenario)


def test_a_terminal_has_a_size_and_signals(pod: Sandbox) -> None:
    async def scenario(session: aiohttp.ClientSession) -> None:
        async with exec_in(session, query("sh", streams="input output", tty=True)) as socket:
            stream = Stream(socket)
            await socket.send_bytes(b'\x04{"Width":91,"Height":17}')
            await socket.send_bytes(b"\0stty size; tty; echo $TERM\n")
            await stream.until(1, b"17 91\r\n")
            await stream.until(1, b"/dev/pts/")
            await stream.until(1, b"xterm")
            await socket.send_bytes(b"\0sleep 1000\n")
            await asyncio.sleep(0.2)
            await socket.send_bytes(b"\0\x03")
            await socket.send_bytes(b"\0exit 9\n")
            status = await stream.end()
        assert status["details"]["causes"][0]["message"] == "9"

    both(pod, scenario)


def test_a_broken_stream_kills_the_process(pod: Sandbox) -> None:
    async def scenario(session: aiohttp.ClientSession) -> None:
        async with exec_in(session, query("sh", "-c", "echo up; sleep 5151 & sleep 5152")) as socket:
            await Stream(socket).until(1, b"up")
            assert "sleep 5152" in pod.run("ps", "ax")
        deadline = time.monotonic() + 5
        while "sleep 515" in pod.run("ps", "ax"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    both(pod, scenario)


def test_many_streams_at_once(pod: Sandbox) -> None:
    async def scenario(session: aiohttp.ClientSession) -> None:
        async def one(number: int) -> bytes:
            async with exec_in(
                session, query("sh", "-c", f"read line; echo {number} $line", streams="input output")
            ) as s:
                stream = Stream(s)
                await s.send_bytes(b"\0go\n")
                await stream.end()
                return stream.output[1]

        assert await asyncio.gather(*(one(n) for n in range(40))) == [b"%d go\n" % n for n in range(40)]

    both(pod, scenario)


def test_only_the_api_server_may_call(pod: Sandbox) -> None:
    async def scenario() -> None:
        for certificate, expected in (("", 401), ("stranger", 401), ("client", 200)):
            async with kubelet_session(pod, certificate) as session:
                async with session.get("/pods") as answer:
                    assert answer.status == expected
                async with session.get("/healthz") as answer:
                    assert (answer.status, await answer.text()) == (200, "ok")

    asyncio.run(scenario())


def test_bad_requests_are_refused(pod: Sandbox) -> None:
    async def scenario(session: aiohttp.ClientSession) -> None:
        for path, params, expected in (
            ("/exec/default/exec/c", query("true"), 400),  # no upgrade
            ("/exec/default/exec/c", query(), 400),
            ("/exec/default/exec/other", query("true"), 404),
            ("/exec/default/absent/c", query("true"), 404),
            ("/containerLogs/default/exec/other", [], 404),
            ("/containerLogs/default/exec/c", [("tailLines", "many")], 400),
            ("/containerLogs/default/exec/c", [("previous", "true")], 400),
        ):
            async with session.get(path, params=params) as answer:
                assert answer.status == expected, (path, params)

    both(pod, scenario)


def test_logs_by_their_options(pod: Sandbox) -> None:
    script = "for i in 1 2 3; do echo line $i; done; printf '%070000d' 7; sleep 1; echo; echo late"

    async def scenario(cluster: Cluster) -> None:
        await cluster.create("talker", {"command": ["sh", "-c", script]}, restartPolicy="Never")
        await cluster.ready("talker")
        async with kubelet_session(pod) as session:

            async def log(**params: str) -> str:
                async with session.get("/containerLogs/default/talker/c", params=params) as answer:
                    assert answer.status == 200
                    return await answer.text()

            followed = asyncio.create_task(log(follow="true"))
            assert (await log(limitBytes="9")) == "line 1\nli"
            whole = await followed
            assert whole == "line 1\nline 2\nline 3\n" + "7".rjust(70000, "0") + "\nlate\n"
            assert await log() == whole
            assert await log(tailLines="1") == "late\n"
            assert await log(tailLines="0") == ""
            stamped = await log(tailLines="1", timestamps="true")
            assert stamped.endswith("Z late\n")
            assert await log(sinceTime="2100-01-01T00:00:00Z") == ""
            assert await log(sinceSeconds="100") == whole
        await cluster.delete("talker")
        await cluster.gone("talker")
        assert "talker" not in pod.run("ls", str(pod.state / "pods"))

    drive(pod, scenario)
