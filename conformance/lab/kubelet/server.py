"""The kubelet's HTTPS server: exec, logs and health, for the API server's client certificate only."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from conformance.lab import timestamps
from conformance.lab.kubelet import channels, logs
from conformance.lab.kubelet.execution import Wanted, execute
from conformance.lab.kubelet.node import Settings
from conformance.lab.kubelet.pod import Pod

CLIENT = "kube-apiserver-kubelet-client"
_HEALTH = ("/healthz", "/livez", "/readyz")
_MOST_FRAME = 4 * 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pods(Protocol):
    """What the server asks of the agent."""

    def find(self, namespace: str, name: str, uid: str = "") -> Pod | None:
        """The pod of that name that is here (the newest, should an older one still be ending)."""
        ...

    def objects(self) -> list[dict[str, Any]]:
        """The API objects of all pods that are here."""
        ...


class Server:
    """Listens on ``settings.port`` of every address of the node."""

    def __init__(self, settings: Settings, pods: Pods) -> None:
        self._settings = settings
        self._pods = pods
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Start to listen; OSError."""
        app = web.Application(middlewares=[_authorized])
        for name in ("{namespace}/{pod}/{container}", "{namespace}/{pod}/{uid}/{container}"):
            app.router.add_route("GET", f"/exec/{name}", self._exec)
            app.router.add_route("POST", f"/exec/{name}", self._exec)
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        app.router.add_get("/pods", self._list)
        for path in _HEALTH:
            app.router.add_get(path, _healthy)
        # handler_cancellation: a stream whose connection is gone must not outlive it.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, None, self._settings.port, ssl_context=_context(self._settings), backlog=512)
        await site.start()

    async def close(self) -> None:
        """Stop listening and break every stream."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        pod = self._pod(request)
        container = pod.containers.get(request.match_info["container"])
        life = container.life if container is not None else None
        if life is None:
            raise web.HTTPNotFound(text=f'container not found ("{request.match_info["container"]}")')
        query = request.query
        wanted = Wanted(
            tuple(query.getall("command", [])),
            stdin=_flag(query.get("input") or query.get("stdin")),
            stdout=_flag(query.get("output") or query.get("stdout")),
            stderr=_flag(query.get("error") or query.get("stderr")) and not _flag(query.get("tty")),
            tty=_flag(query.get("tty")),
        )
        if not wanted.command:
            raise web.HTTPBadRequest(text="you must specify at least 1 command for the container")
        if not (wanted.stdin or wanted.stdout or wanted.stderr):
            raise web.HTTPBadRequest(text="you must specify at least 1 of stdin, stdout, stderr")
        # Compression would buffer; the frames of a prober are small and urgent.
        socket = web.WebSocketResponse(
            protocols=channels.PROTOCOLS, max_msg_size=_MOST_FRAME, compress=False, autoclose=True
        )
        if not socket.can_prepare(request):
            raise web.HTTPBadRequest(text="unable to upgrade: only WebSocket is served here")
        await socket.prepare(request)
        if socket.ws_protocol is None:
            await socket.close(code=1002, message=b"no common subprotocol")
            return socket
        await execute(socket, life, wanted)
        return socket

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        pod, query = self._pod(request), request.query
        name = request.match_info["container"]
        try:
            wanted = _log_options(query)
            log = pod.log(name, previous=_flag(query.get("previous")))
        except KeyError:
            raise web.HTTPNotFound(text=f'container "{name}" not found in pod "{pod.identity.name}"') from None
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"invalid log options: {error}") from error
        if log is None:
            which = "previous terminated container" if _flag(query.get("previous")) else "container"
            raise web.HTTPBadRequest(text=f'{which} "{name}" in pod "{pod.identity.name}" not found')
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        async for chunk in logs.read(log, wanted):
            await response.write(chunk)
        await response.write_eof()
        return response

    async def _list(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": self._pods.objects()})

    def _pod(self, request: web.Request) -> Pod:
        where = request.match_info
        pod = self._pods.find(where["namespace"], where["pod"], where.get("uid", ""))
        if pod is None:
            raise web.HTTPNotFound(text=f'pod "{where["pod"]}" does not exist')
        return pod


@web.middleware
async def _authorized(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path not in _HEALTH and _peer(request) != CLIENT:
        raise web.HTTPUnauthorized(text="Unauthorized")
    return await handler(request)


async def _healthy(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


def _peer(request: web.Request) -> str:
    """The common name of the client's verified certificate; empty without one."""
    certificate = request.transport.get_extra_info("peercert") if request.transport is not None else None
    for attributes in (certificate or {}).get("subject", ()):
        for name, value in attributes:
            if name == "commonName":
                return str(value)
    return ""


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    context.load_verify_locations(settings.client_ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _flag(text: str | None) -> bool:
    return text in ("1", "true", "True")


def _log_options(query: Mapping[str, str]) -> logs.Wanted:
    since: datetime | None = None
    if query.get("sinceSeconds"):
        since = logs.Wanted.since_seconds(int(query["sinceSeconds"]))
    elif query.get("sinceTime"):
        since = timestamps.parse(query["sinceTime"])
    return logs.Wanted(
        follow=_flag(query.get("follow")),
        timestamps=_flag(query.get("timestamps")),
        tail=int(query["tailLines"]) if query.get("tailLines") else None,
        since=since,
        limit_bytes=int(query["limitBytes"]) if query.get("limitBytes") else None,
    )
