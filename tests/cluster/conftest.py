"""An exec peer that speaks v4.channel.k8s.io as a kubelet does, and the lab's API server as a real one to talk to."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from kubernetes import client

from conformance.cluster.api import Cluster

_UNSTARTED = {
    "bare": 'failed to exec in container: exec: "ipset": executable file not found in $PATH: unknown',
    "gone": "the container is gone",
}


class Peer:
    """An HTTP server; a pod's name says what happens: ``fine``, ``cut``, ``aborted``, ``forbidden``, ``missing``.

    And those of `_UNSTARTED`. A stream is cut or aborted at the first word of its program; of ``cut-when-told`` and
    ``aborted-when-told`` at the first word to it.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.port = 0
        self.headers: list[str] = []
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self._started.wait(10)

    def cluster(self) -> Cluster:
        configuration = client.Configuration()
        configuration.host = f"http://127.0.0.1:{self.port}"
        configuration.api_key["authorization"] = "Bearer very-secret-token"
        configuration.api_key["BearerToken"] = "Bearer very-secret-token"
        return Cluster(configuration)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        app = web.Application()
        app.router.add_get("/api/v1/namespaces/{ns}/pods/{pod}/exec", self._exec)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        self.loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self.loop.run_until_complete(site.start())
        server: Any = site._server
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self.loop.run_forever()
        self.loop.run_until_complete(runner.cleanup())
        self.loop.close()

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        pod = request.match_info["pod"]
        if pod == "forbidden":
            denied = 'User "ci" cannot create resource "pods/exec" in API group "" in the namespace "ns"'
            message = f'pods "x" is forbidden: {denied}'
            return web.json_response(
                {"kind": "Status", "reason": "Forbidden", "message": message, "code": 403}, status=403
            )
        if pod == "missing":
            message = 'pods "missing" not found'
            return web.json_response(
                {"kind": "Status", "reason": "NotFound", "message": message, "code": 404}, status=404
            )
        socket = web.WebSocketResponse(protocols=["v4.channel.k8s.io"])
        await socket.prepare(request)
        if pod in _UNSTARTED:
            message = f"error executing command in container: {_UNSTARTED[pod]}"
            status = {"status": "Failure", "reason": "InternalError", "code": 500, "message": message,
                      "details": {"causes": [{"message": message}]}}  # fmt: skip
            await socket.send_bytes(b"\x03" + json.dumps(status).encode())
            await socket.close()
            return socket
        process = await asyncio.create_subprocess_exec(
            *request.query.getall("command"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout and process.stderr and process.stdin
        said, told = asyncio.Event(), asyncio.Event()
        pumps = [
            asyncio.create_task(_pump(process.stdout, socket, b"\x01", said)),
            asyncio.create_task(_pump(process.stderr, socket, b"\x02", said)),
        ]
        relay = asyncio.create_task(_relay(socket, process.stdin, told))
        ended = asyncio.create_task(process.wait())
        end, _, when = pod.partition("-")
        if end in ("cut", "aborted"):
            await (told if when else said).wait()
        if end == "cut":
            await socket.close()
        if end == "aborted" and request.transport:
            request.transport.abort()
        await asyncio.wait([relay, ended], return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.kill()
        code = await ended
        await asyncio.gather(*pumps, return_exceptions=True)
        relay.cancel()
        if not socket.closed:
            status = {"status": "Success"} if code == 0 else {
                "status": "Failure", "reason": "NonZeroExitCode",
                "message": f"command terminated with non-zero exit code: exit status {code}",
                "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
            }  # fmt: skip
            await socket.send_bytes(b"\x03" + json.dumps(status).encode())
            await socket.close()
        return socket


async def _pump(
    source: asyncio.StreamReader, socket: web.WebSocketResponse, channel: bytes, said: asyncio.Event
) -> None:
    while data := await source.read(4000):
        await socket.send_bytes(channel + data)
        said.set()


async def _relay(socket: web.WebSocketResponse, stdin: asyncio.StreamWriter, told: asyncio.Event) -> None:
    async for message in socket:
        if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
            data = message.data.encode() if isinstance(message.data, str) else message.data
            if data[:1] == b"\x00":
                stdin.write(data[1:])
                await stdin.drain()
                told.set()
    stdin.close()


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    found = Peer()
    yield found
    found.close()


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a running embedded API server."""
    state = tmp_path_factory.mktemp("api")
    command = [sys.executable, "-m", "conformance.lab.api", "--listen", "127.0.0.1:0", "--state", str(state)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            kubeconfig = state / "kubeconfig"
            deadline = time.monotonic() + 30
            while not kubeconfig.exists() and time.monotonic() < deadline:
                assert process.poll() is None
                time.sleep(0.05)
            yield kubeconfig
        finally:
            process.terminate()
            process.wait(20)
