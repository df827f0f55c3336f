"""The HTTPS server: authenticates, authorizes and hands each request to who answers it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web import BaseRequest, StreamResponse
from aiohttp.web_protocol import RequestHandler

from conformance.lab.api import shapes, status
from conformance.lab.api.authn import Authenticator
from conformance.lab.api.authz import Authorizer
from conformance.lab.api.bootstrap import bootstrap
from conformance.lab.api.call import Call, failure, respond
from conformance.lab.api.config import Config
from conformance.lab.api.documents import Documents
from conformance.lab.api.impersonation import impersonated
from conformance.lab.api.kubelets import Kubelets
from conformance.lab.api.lensing import Lenses
from conformance.lab.api.reviews import Reviews
from conformance.lab.api.status import StatusError
from conformance.lab.api.store import Store
from conformance.lab.api.subresources import Subresources
from conformance.lab.api.target import PlainPath, Target, parse
from conformance.lab.api.tls import server_context
from conformance.lab.api.tokens import TokenKey
from conformance.lab.api.watching import Watches
from conformance.lab.faults.answers.writes import parts

_log = logging.getLogger(__name__)

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes a body may have, as in the real server."""


class ApiServer:
    """The whole server on one store."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.store = Store(config.history)
        key = TokenKey(config.sa_key.read_bytes())
        self.registry, self._objects = parts(self.store, config)
        self._authn = Authenticator(self.store, key)
        self._lenses = Lenses(self.store, config.faults)
        self._watches = Watches(self.store, self._objects, self._lenses, config.bookmark_interval)
        self._authz = Authorizer(self.store)
        self._reviews = Reviews(self._authn, self._authz)
        self._subresources = Subresources(self.registry, key)
        self._kubelets = Kubelets(self.registry, config)
        self._documents = Documents(f"{config.advertise[0]}:{config.advertise[1]}")
        bootstrap(self.registry, config)

    async def serve(self, sockets: Sequence[socket.socket], stop: asyncio.Event) -> None:
        """Answer on every socket until ``stop`` is set."""
        # a watch on something quiet would not notice for an hour that its client has gone: let it be cancelled
        server = web.Server(
            self.handle, request_factory=_request, handler_cancellation=True, access_log=None, keepalive_timeout=300
        )
        context = server_context(self._config)
        loop = asyncio.get_running_loop()
        listeners = [await loop.create_server(server, sock=each, ssl=context) for each in sockets]
        try:
            await stop.wait()
        finally:
            for listener in listeners:
                listener.close()
            self.store.end_watches()
            await self._kubelets.close()
            await server.shutdown(timeout=1)

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer one request; whatever goes wrong becomes a Status."""
        target: Target | PlainPath | None = None
        try:
            user = impersonated(self._authz, self._authn.user(request), request.headers)
            target = parse(request.method, request.path, request.query)
            self._authz.check(user, target)
            if isinstance(target, PlainPath):
                return self._documents.answer(request, target)
            return await self._answer(Call(request, target, user))
        except StatusError as error:
            return failure(error)
        except web.HTTPRequestEntityTooLarge:
            message = f"Request entity too large: limit is {BODY_LIMIT}"
            return failure(StatusError(413, "RequestEntityTooLarge", message))
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            # an object of the wrong shape got through to code that expected the right one
            _log.exception("%s %s", request.method, request.path)
            return failure(_misshapen(target, error))

    async def _answer(self, call: Call) -> StreamResponse:
        part, plural = call.target.subresource, call.target.resource.plural
        if part in ("attach", "exec"):
            return await self._kubelets.stream(call)
        if part == "log":
            return await self._kubelets.log(call)
        if part in Subresources.names:
            return await self._subresources.answer(call)
        if plural in Reviews.kinds:
            return await self._reviews.create(call)
        if plural == "bindings":
            body = await call.body()
            return self._subresources.bind(call, body.get("metadata", {}).get("name", ""), body)
        return await self._verb(call)

    async def _verb(self, call: Call) -> StreamResponse:
        match call.target.verb:
            case "get":
                return self._objects.get(call)
            case "list":
                view = self._lenses.of(call)
                return respond(view.page()) if view else self._objects.page(call)
            case "watch":
                return await self._watches.watch(call)
            case "create":
                return await self._objects.create(call)
            case "update":
                return await self._objects.update(call)
            case "patch":
                return await self._objects.patch(call)
            case "delete":
                return await self._objects.delete(call)
            case "deletecollection":
                return await self._objects.delete_collection(call)
            case _:
                raise status.method_not_allowed()


def _misshapen(target: Target | PlainPath | None, error: Exception) -> StatusError:
    told = f"{type(error).__name__}: {error}"
    if isinstance(target, Target) and target.verb in ("create", "update", "patch"):
        return status.bad_request(shapes.unfit(target.resource, told))
    return status.internal_error(told)


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> BaseRequest:
    loop = asyncio.get_running_loop()
    return BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=BODY_LIMIT)
