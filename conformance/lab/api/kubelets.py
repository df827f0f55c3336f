"""exec, attach and log: carried to the kubelet of the pod's node and back."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import WSMessage, WSMsgType, web
from aiohttp.web import StreamResponse
from multidict import MultiDict
from yarl import URL

from conformance.lab.api import status
from conformance.lab.api.call import Call
from conformance.lab.api.config import Config
from conformance.lab.api.registry import Registry
from conformance.lab.api.resources import resource
from conformance.lab.api.store import dumps
from conformance.lab.api.tls import kubelet_context

Json = dict[str, Any]
_Socket = aiohttp.ClientWebSocketResponse | web.WebSocketResponse

CONNECT_SECONDS = 5.0
HANDSHAKE_SECONDS = 30.0
_TRANSLATED = "v5.channel.k8s.io"
_STATUS_CHANNEL = 3
_STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
_LOG_OPTIONS = ("follow", "limitBytes", "previous", "sinceSeconds", "sinceTime", "tailLines", "timestamps")


@dataclass(frozen=True, slots=True)
class _Place:
    """A container on its node's kubelet."""

    base: URL
    path: str

    def url(self, action: str, query: MultiDict[str]) -> URL:
        """The kubelet's address for an action on the container."""
        return self.base.with_path(f"/{action}/{self.path}").with_query(query)


class Kubelets:
    """The way to kubelets; opened and closed with the server."""

    def __init__(self, registry: Registry, config: Config) -> None:
        self._registry = registry
        self._port = config.kubelet_port
        self._context: ssl.SSLContext = kubelet_context(config)
        self._open: aiohttp.ClientSession | None = None

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._open is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
            connector = aiohttp.TCPConnector(ssl=self._context, limit=0)
            self._open = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
        return self._open

    async def close(self) -> None:
        """Drop every connection."""
        if self._open is not None:
            await self._open.close()
            self._open = None

    async def stream(self, call: Call) -> StreamResponse:
        """exec or attach over a WebSocket, frame by frame in both directions."""
        place = self._place(call)
        request = call.request
        if request.headers.get("Upgrade", "").lower() != "websocket":
            if "upgrade" in request.headers.get("Connection", "").lower():
                raise status.bad_request("unable to upgrade: only the WebSocket protocol is served, not SPDY")
            raise status.bad_request("Upgrade request required")
        query: MultiDict[str] = MultiDict(("command", each) for each in request.query.getall("command", []))
        for theirs, ours in _STREAMS.items():
            if request.query.get(theirs, "").lower() in ("1", "true"):
                query.add(ours, "1")
        if place is None:
            raise status.bad_request(f"pod {call.target.name} does not have a host assigned")
        url = place.url(call.target.subresource, query)
        offered = [
            each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if each.strip()
        ]
        try:
            far = await self._dial(url, offered)
        except status.StatusError as error:
            if _TRANSLATED not in offered:
                raise
            # for v5 the real server answers the client before it dials the kubelet: the failure comes as a frame
            return await _refusal(request, error)
        try:
            near = web.WebSocketResponse(
                protocols=[far.protocol] if far.protocol else [], max_msg_size=0, compress=False
            )
            await near.prepare(request)
            ending = await _relay(near, far)
            await asyncio.gather(near.close(code=ending.code, message=ending.reason), far.close(code=ending.code))
        finally:
            await far.close()
        return near

    async def log(self, call: Call) -> StreamResponse:
        """A container's output, as it comes."""
        place = self._place(call)
        if place is None:
            return web.Response(text="")
        query = MultiDict((name, call.query[name]) for name in _LOG_OPTIONS if name in call.query)
        try:
            async with self._session.get(place.url("containerLogs", query)) as answer:
                if answer.status != 200:
                    raise _refused(answer.status, (await answer.text()).strip())
                response = StreamResponse(headers={"Content-Type": "text/plain", "Cache-Control": "no-cache, private"})
                await response.prepare(call.request)
                try:
                    async for chunk in answer.content.iter_any():
                        await response.write(chunk)
                    await response.write_eof()
                except (ConnectionError, aiohttp.ClientPayloadError):
                    return response
                return response
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            raise _unreachable(place.base, error) from error

    async def _dial(self, url: URL, offered: list[str]) -> aiohttp.ClientWebSocketResponse:
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                return await self._session.ws_connect(url, protocols=offered, max_msg_size=0, compress=0)
        except aiohttp.WSServerHandshakeError as error:
            raise _refused(error.status, await self._why(url, error.status)) from error
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            raise _unreachable(url, error) from error

    async def _why(self, url: URL, code: int) -> str:
        """The kubelet's words for a refused handshake, which the WebSocket client does not keep: asked for again."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS), self._session.get(url) as answer:
                text = (await answer.text()).strip()
                if answer.status == code and text:
                    return text
        except (aiohttp.ClientError, TimeoutError):
            pass
        return f"unable to upgrade connection: the kubelet answered {code}"

    def _place(self, call: Call) -> _Place | None:
        """Where the request's container is, None while its pod has no node."""
        target = call.target
        pod = self._registry.get(target.resource, call.namespace, target.name).obj
        spec = pod["spec"]
        containers = [each["name"] for kind in ("initContainers", "containers") for each in spec.get(kind, [])]
        wanted = call.query.get("container", "")
        if not wanted:
            if len(spec["containers"]) > 1:
                choice = " ".join(each["name"] for each in spec["containers"])
                raise status.bad_request(
                    f"a container name must be specified for pod {target.name}, choose one of: [{choice}]"
                )
            wanted = spec["containers"][0]["name"]
        elif wanted not in containers:
            raise status.bad_request(f"container {wanted} is not valid for pod {target.name}")
        node = spec.get("nodeName")
        if not node:
            return None
        address = self._address(node)
        host = f"[{address}]" if ":" in address else address
        return _Place(URL(f"https://{host}:{self._port}"), f"{call.namespace}/{target.name}/{wanted}")

    def _address(self, name: str) -> str:
        node = self._registry.get(resource("", "nodes"), "", name).obj
        addresses = {each["type"]: each["address"] for each in reversed(node.get("status", {}).get("addresses", []))}
        for kind in ("InternalIP", "ExternalIP", "Hostname"):
            if kind in addresses:
                return str(addresses[kind])
        raise status.internal_error(f"no preferred addresses found; known addresses: []: {name}")


@dataclass(frozen=True, slots=True)
class _Ending:
    """How one side ended the stream."""

    code: int = 1011
    reason: bytes = b""


async def _relay(near: _Socket, far: _Socket) -> _Ending:
    """Carry frames both ways until one side ends; nobody reads from either socket afterwards."""
    tasks = [asyncio.ensure_future(_carry(near, far)), asyncio.ensure_future(_carry(far, near))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(source: _Socket, sink: _Socket) -> _Ending:
    """Send on what arrives, until one side ends."""
    while True:
        message: WSMessage = await source.receive()
        try:
            match message.type:
                case WSMsgType.BINARY:
                    await sink.send_bytes(message.data)
                case WSMsgType.TEXT:
                    await sink.send_str(message.data)
                case WSMsgType.CLOSE:
                    reason = message.extra if isinstance(message.extra, str) else ""
                    return _Ending(message.data or 1000, reason.encode())
                case WSMsgType.CLOSING | WSMsgType.CLOSED | WSMsgType.ERROR:
                    return _Ending()
        except ConnectionError:
            return _Ending()


async def _refusal(request: web.BaseRequest, error: status.StatusError) -> StreamResponse:
    near = web.WebSocketResponse(protocols=[_TRANSLATED], compress=False)
    await near.prepare(request)
    failure = status.internal_error(error.message)
    await near.send_bytes(bytes([_STATUS_CHANNEL]) + dumps(failure.body()))
    await near.close(code=1000)
    return near


def _unreachable(url: URL, error: BaseException) -> status.StatusError:
    cause = str(error) or type(error).__name__
    message = f"error dialing backend: dial tcp {url.host}:{url.port}: {cause}"
    return status.StatusError(500, "", message)


_REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}


def _refused(code: int, text: str) -> status.StatusError:
    return status.StatusError(code if code in _REASONS else 500, _REASONS.get(code, "InternalError"), text)
