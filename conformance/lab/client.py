"""A small asyncio client of the Kubernetes API: requests, watches, and informers that survive everything.

Objects are plain API JSON. It speaks to the lab's own API server and to a real kube-apiserver alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from conformance.lab import kubeconfig

if TYPE_CHECKING:
    import aiohttp

Json = dict[str, Any]
JsonList = list[Any]
Params = Mapping[str, str]

_log = logging.getLogger(__name__)
_PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
_REQUEST_SECONDS = 30.0
_WATCH_SECONDS = (240, 480)  # client-go's reflector: 5 minutes, randomly up to twice that
_BACKOFF_SECONDS = (0.05, 3.0)
_REMEMBERED_DELETIONS = 1000
_HEALTHY_SECONDS = 10.0  # a watch that lived this long was no failure


class ApiError(Exception):
    """The API said no (``status`` is HTTP's), or could not be asked (``status`` 0, ``reason`` ``Unreachable``)."""

    def __init__(self, status: int, reason: str, message: str, body: Json | None = None) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.body: Json = body or {}

    @classmethod
    def of(cls, status: int, body: Json) -> ApiError:
        """From a ``Status`` object, or whatever the body was."""
        return cls(int(body.get("code") or status), body.get("reason") or "", body.get("message") or "", body)


def backoff(attempt: int, first: float = _BACKOFF_SECONDS[0], most: float = _BACKOFF_SECONDS[1]) -> float:
    """Seconds to wait before try ``attempt`` (1, 2, ...): doubling, bounded, and jittered between half and whole."""
    return min(most, first * 2.0 ** min(attempt - 1, 30)) * random.uniform(0.5, 1.0)


class ApiClient:
    """A connection pool to one API server with one identity; an async context manager."""

    def __init__(self, connection: kubeconfig.Connection, user_agent: str = "nftconform-lab") -> None:
        self._connection = connection
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def from_kubeconfig(cls, path: Path, context: str = "") -> ApiClient:
        """A client for ``context`` (default: the current one) of the kubeconfig at ``path``; ``ClusterError``."""
        return cls(kubeconfig.from_file(Path(path), context))

    @classmethod
    def in_cluster(cls) -> ApiClient:
        """A client with the service account of the pod in which this runs; ``ClusterError``."""
        return cls(kubeconfig.in_cluster())

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self._connection.server

    async def __aenter__(self) -> ApiClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, params: Params | None = None) -> Json:
        """The object at ``path``."""
        return await self.request("GET", path, params)

    async def list(self, path: str, params: Params | None = None) -> Json:
        """The whole List at ``path``, all its pages when the server cuts it into pages."""
        whole = await self.request("GET", path, params)
        page = whole
        while more := page.get("metadata", {}).get("continue"):
            page = await self.request("GET", path, {**(params or {}), "continue": more})
            whole["items"] = [*(whole.get("items") or ()), *(page.get("items") or ())]
            whole["metadata"] = page["metadata"]
        return whole

    async def create(self, path: str, body: Json, params: Params | None = None) -> Json:
        """POST ``body`` to the collection ``path``."""
        return await self.request("POST", path, params, body)

    async def update(self, path: str, body: Json, params: Params | None = None) -> Json:
        """PUT ``body``; with a ``resourceVersion`` in it, 409 when the object has changed meanwhile."""
        return await self.request("PUT", path, params, body)

    async def patch(
        self,
        path: str,
        body: Json | JsonList,
        type: str = "merge",  # noqa: A002  (the name that kubectl gives it)
        params: Params | None = None,
    ) -> Json:
        """PATCH; ``type`` is ``merge``, ``strategic``, ``json`` or ``apply`` (server-side)."""
        if type == "apply":
            params = {"fieldManager": self._user_agent, **(params or {})}
        return await self.request("PATCH", path, params, body, _PATCHES[type])

    async def delete(self, path: str, params: Params | None = None, body: Json | None = None) -> Json:
        """DELETE the object or collection at ``path``; ``body`` may carry DeleteOptions."""
        return await self.request("DELETE", path, params, body)

    async def healthy(self, path: str = "/readyz") -> bool:
        """Whether the server answers, and says at ``path`` that it is well."""
        try:
            async with self._open("GET", path, None, None, seconds=_REQUEST_SECONDS):
                return True
        except ApiError:
            return False

    async def request(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        body: Json | JsonList | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """One request; the decoded JSON answer, or ``ApiError``."""
        async with self._open(
            method, path, params, body, content_type=content_type, seconds=_REQUEST_SECONDS
        ) as response:
            try:
                answer: Json = json.loads(await response.read())
            except ValueError as error:
                raise ApiError(response.status, "NotJson", f"{method} {path} did not answer with JSON") from error
            return answer

    async def watch(self, path: str, params: Params | None = None) -> AsyncGenerator[tuple[str, Json], None]:
        """Events (``ADDED``, ``MODIFIED``, ``DELETED``, ``BOOKMARK``) until the server ends the watch.

        ``ApiError`` 410 when the resource version has expired, 0 when the connection broke.
        """
        params = {"watch": "true", "allowWatchBookmarks": "true", **(params or {})}
        limit = float(params.get("timeoutSeconds", _WATCH_SECONDS[1])) + 15
        async with self._open("GET", path, params, None, seconds=limit) as response:
            # Not response.content.readline(): it refuses lines longer than its buffer, and a slice can be one.
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if not line.strip():
                        continue
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError.of(500, event["object"])
                    yield event["type"], event["object"]

    @contextlib.asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        params: Params | None,
        body: Json | JsonList | None,
        *,
        content_type: str = "application/json",
        seconds: float,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp  # noqa: PLC0415  (200 ms that whoever only parses a kubeconfig need not pay)

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._connection.ssl_context(), limit=0, keepalive_timeout=60),
                headers={"User-Agent": self._user_agent, "Accept": "application/json"},
            )
        headers = {"Content-Type": content_type} if body is not None else {}
        try:
            if bearer := self._connection.bearer():
                headers["Authorization"] = f"Bearer {bearer}"
            async with self._session.request(
                method,
                self._connection.server + path,
                params=dict(params) if params else None,
                data=None if body is None else json.dumps(body).encode(),
                headers=headers,
                server_hostname=self._connection.server_name or None,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=10),
            ) as response:
                if response.status >= 400:
                    raise ApiError.of(response.status, _status(await response.read(), response))
                yield response
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ApiError(0, "Unreachable", f"{method} {path}: {error or error.__class__.__name__}") from error


def _status(raw: bytes, response: aiohttp.ClientResponse) -> Json:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    return {"reason": response.reason or "", "message": raw.decode(errors="replace")[:500]}


class Informer:
    """A local copy of one collection, kept current by list and watch for as long as ``run`` runs.

    ``items`` maps ``namespace/name`` (or ``name``) to the object: read it, never change it. ``on_event`` is called for
    every change with ``ADDED``, ``MODIFIED`` or ``DELETED`` (then with the last state known), in order; for each object
    these form a well-ordered life: no change is told twice and a deletion missed while disconnected is told late.
    """

    def __init__(
        self,
        client: ApiClient,
        path: str,
        params: Params | None = None,
        on_event: Callable[[str, Json], None] | None = None,
    ) -> None:
        self.items: dict[str, Json] = {}
        self.synced = asyncio.Event()
        self._client = client
        self._path = path
        self._params = dict(params or {})
        self._on_event = on_event
        self._next_change = asyncio.Event()
        self._gone: deque[str | None] = deque(maxlen=_REMEMBERED_DELETIONS)

    def changed(self) -> Coroutine[Any, Any, object]:
        """What to await for the next change after this call (the first complete list counts as one)."""
        # Not a coroutine function: a task of one begins later, and what changed until then would go unnoticed.
        return self._next_change.wait()

    async def until(self, condition: Callable[[dict[str, Json]], bool]) -> None:
        """Wait until ``condition`` holds for ``items``, from the first complete list on."""
        await self.synced.wait()
        while not condition(self.items):
            await self._next_change.wait()

    def note(self, item: Json, *, deleted: bool = False) -> None:
        """Take the answer to a write of our own at once, so that nobody acts on the state before it."""
        if deleted:
            self._forget(key(item), item)
        elif item["metadata"].get("uid") not in self._gone:  # the watch may have told of its whole life already
            self._store(item, only_newer=True)

    async def run(self) -> None:
        """Keep ``items`` current; ends only by cancellation."""
        version, failures = "", 0
        while True:
            began = time.monotonic()
            try:
                if not version:
                    version = await self._list()
                version = await self._watch(version)
            except ApiError as error:
                version = ""
                failures = 1 if time.monotonic() - began > _HEALTHY_SECONDS else failures + 1
                _log.log(logging.WARNING if failures == 3 else logging.DEBUG, "%s: %s", self._path, error)
                await asyncio.sleep(backoff(failures))

    async def _list(self) -> str:
        answer = await self._client.list(self._path, self._params)
        kind, group = str(answer.get("kind", "")).removesuffix("List"), answer.get("apiVersion", "")
        found = {}
        for item in answer.get("items") or ():
            # A List's items come without their kind; consumers of events expect it as a watch sends it.
            found[key(item)] = {"kind": kind, "apiVersion": group, **item}
        for name in [name for name in self.items if name not in found]:
            self._forget(name, None)
        for item in found.values():
            self._store(item)
        if not self.synced.is_set():
            self.synced.set()
            self._tell(None, {})
        return str(answer["metadata"]["resourceVersion"])

    async def _watch(self, version: str) -> str:
        """The version from which to watch on, or empty when a fresh list is due."""
        seconds = random.randint(*_WATCH_SECONDS)
        began = time.monotonic()
        params = {**self._params, "resourceVersion": version, "timeoutSeconds": str(seconds)}
        async with contextlib.aclosing(self._client.watch(self._path, params)) as events:
            async for event, item in events:
                version = item["metadata"]["resourceVersion"]
                if event == "DELETED":
                    self._forget(key(item), item)
                elif event != "BOOKMARK":
                    self._store(item, only_newer=True)
        # An early end is a server that stops; the next one may not know our version, and some accept any silently.
        return version if time.monotonic() - began >= seconds - 1 else ""

    def _store(self, item: Json, *, only_newer: bool = False) -> None:
        name, meta = key(item), item["metadata"]
        old = self.items.get(name)
        if old is not None and old["metadata"].get("uid") != meta.get("uid"):
            self._forget(name, None)
            old = None
        if old is not None:
            had, has = str(old["metadata"].get("resourceVersion")), str(meta.get("resourceVersion"))
            # Comparable (KEP-5504, and always so in practice): what we noted may be ahead of the watch.
            if had == has or (only_newer and had.isdigit() and has.isdigit() and int(has) < int(had)):
                return
        self.items[name] = item
        self._tell("ADDED" if old is None else "MODIFIED", item)

    def _forget(self, name: str, last: Json | None) -> None:
        old = self.items.get(name)
        if old is None or (last is not None and last["metadata"].get("uid") != old["metadata"].get("uid")):
            return
        del self.items[name]
        self._gone.append(old["metadata"].get("uid"))
        self._tell("DELETED", last or old)

    def _tell(self, event: str | None, item: Json) -> None:
        woken, self._next_change = self._next_change, asyncio.Event()
        woken.set()
        if event is not None and self._on_event is not None:
            self._on_event(event, item)


def key(item: Json) -> str:
    """``namespace/name`` of an object, or its ``name`` when it has no namespace."""
    meta = item["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])
