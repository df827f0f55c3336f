"""A kubelet that echoes: it refuses whatever it does not know."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from conformance.lab.api.certificates import Authority

STDIN, STDOUT, STATUS, CLOSE = 0, 1, 3, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")


@dataclass
class Kubelet:
    """Where it listens, and what it was asked."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    more: threading.Event = field(default_factory=threading.Event)

    async def exec(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        if request.match_info["container"] == "gone":
            return web.Response(status=404, text='container not found ("gone")')
        socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=0)
        await socket.prepare(request)
        async for message in socket:
            # the Python client sends text frames
            frame = message.data.encode() if message.type is WSMsgType.TEXT else message.data
            channel, data = frame[0], frame[1:]
            if channel == STDIN and data != b"exit\n":
                await socket.send_bytes(bytes([STDOUT]) + data)
            else:
                status = {"metadata": {}, "status": "Success"}
                await socket.send_bytes(bytes([STATUS]) + json.dumps(status).encode())
                break
        await socket.close(code=1000)
        return socket

    async def logs(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        if request.query.get("previous"):
            return web.Response(status=400, text='previous terminated container "c" in pod "p" not found')
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one\n")
        if request.query.get("follow"):
            await asyncio.to_thread(self.more.wait, 20)
        await response.write(b"two\n")
        return response

    def _note(self, request: web.Request) -> None:
        self.asked.append(request.path_qs)
        assert request.transport is not None
        certificate = request.transport.get_extra_info("peercert")
        self.clients.append(dict(part[0] for part in certificate["subject"])["commonName"])


@contextmanager
def listening(authority: Authority) -> Iterator[Kubelet]:
    """The kubelet on 127.0.0.1, in a thread of its own; it asks for client certificates."""
    kubelet = Kubelet()
    certificate, key = authority.issue("kubelet", "system:node:n", ("system:nodes",), hosts=("127.0.0.1",))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.path))
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    loop, ready = asyncio.new_event_loop(), threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/exec/{namespace}/{pod}/{container}", kubelet.exec)
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", kubelet.logs)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        kubelet.port = runner.addresses[0][1]
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield kubelet
    finally:
        kubelet.more.set()
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()
