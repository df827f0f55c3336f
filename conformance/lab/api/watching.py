"""Watches: the changes after a version, as they happen, in JSON lines."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping
from typing import Protocol

from aiohttp.web import StreamResponse

from conformance.lab.api import status
from conformance.lab.api.call import Call
from conformance.lab.api.lensing import Lenses
from conformance.lab.api.objects import Objects, selection
from conformance.lab.api.store import Change, Event, Expired, Store, Watcher, dumps

BOOKMARK_INTERVAL = 60.0
"""Seconds between bookmarks of a quiet watch, as the real server's watch cache sends them."""


class Source(Protocol):
    """What a watch tells of: all that there is, or what its client is shown of it."""

    def join(self, watcher: Watcher) -> None:
        """Have ``watcher`` told of changes."""

    def leave(self, watcher: Watcher) -> None:
        """Have it told no more."""

    def present(self) -> bytes:
        """The objects that there are."""

    def since(self, revision: int) -> bytes:
        """What happened since that version; ``Expired`` where that is not known any more."""

    def lines(self, events: Iterable[Event]) -> bytes:
        """What just happened."""

    def bookmark(self, *, initial: bool = False) -> bytes:
        """How far it is."""


class Watches:
    """The handler of ``watch=true``."""

    def __init__(
        self, store: Store, objects: Objects, lenses: Lenses, bookmark_interval: float = BOOKMARK_INTERVAL
    ) -> None:
        self._store = store
        self._objects = objects
        self._lenses = lenses
        self._interval = bookmark_interval

    async def watch(self, call: Call) -> StreamResponse:
        """Stream changes until the time the client gave is over, the client leaves, or it falls too far behind."""
        source = self._lenses.of(call) or _Truth(call, self._store, self._objects)
        response = StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
        response.enable_chunked_encoding()
        # from here to the registration nothing is awaited: no change can fall between the past and the present
        watcher = Watcher()
        first = self._beginning(call, source, watcher)
        source.join(watcher)
        try:
            await response.prepare(call.request)
            if first:
                await response.write(first)
            await self._follow(call, response, source, watcher)
            await response.write_eof()
        except ConnectionError:
            return response
        finally:
            source.leave(watcher)
        return response

    def _beginning(self, call: Call, source: Source, watcher: Watcher) -> bytes:
        """What a watch says first: the objects that there are, or what happened since the asked version."""
        query = call.query
        asked = query.get("resourceVersion", "")
        if asked and not asked.isdigit():
            raise status.bad_request(f'strconv.ParseUint: parsing "{asked}": invalid syntax')
        initial = query.get("sendInitialEvents")
        if initial == "true" and query.get("resourceVersionMatch") != "NotOlderThan":
            raise _initial_forbidden()
        if initial == "true" or (asked in ("", "0") and initial is None):
            told = source.present()
            if initial == "true" and _true(query, "allowWatchBookmarks"):
                told += source.bookmark(initial=True)
            return told
        revision = int(asked) if asked not in ("", "0") else self._store.revision
        try:
            return source.since(revision)
        except Expired as error:
            # told inside the stream with HTTP 200, as the real server's watch cache does
            watcher.end()
            gone = status.expired(f"too old resource version: {revision} ({error.oldest})")
            return b'{"type":"ERROR","object":%s}\n' % dumps(gone.body())

    async def _follow(self, call: Call, response: StreamResponse, source: Source, watcher: Watcher) -> None:
        clock = asyncio.get_running_loop().time
        ends = clock() + _seconds(call.query.get("timeoutSeconds", ""))
        bookmarks = _true(call.query, "allowWatchBookmarks")
        told = clock()
        while not watcher.ended and clock() < ends:
            data = source.lines(await watcher.take(max(0.0, min(ends, told + self._interval) - clock())))
            if clock() >= told + self._interval:
                told = clock()
                if bookmarks:
                    data += source.bookmark()
            if data:
                await response.write(data)


class _Truth:
    """All that there is of what a call asks for."""

    def __init__(self, call: Call, store: Store, objects: Objects) -> None:
        self._call = call
        self._store = store
        self._objects = objects
        self._matches = selection(call)
        self._collection = store.collection(call.target.resource)

    def join(self, watcher: Watcher) -> None:
        self._collection.watchers.add(watcher)

    def leave(self, watcher: Watcher) -> None:
        self._collection.watchers.discard(watcher)

    def present(self) -> bytes:
        return b"".join([self._call.rendering.line("ADDED", each) for each in self._objects.select(self._call)])

    def since(self, revision: int) -> bytes:
        return self.lines(self._collection.since(revision))

    def lines(self, events: Iterable[Event]) -> bytes:
        return b"".join([self._line(event) for event in events])

    def bookmark(self, *, initial: bool = False) -> bytes:
        return self._call.rendering.bookmark(self._store.revision, initial=initial)

    def _line(self, event: Event) -> bytes:
        """What a watch says about an event: nothing, or less than happened, where the selectors hide a side of it."""
        namespace, matches, rendering = self._call.target.namespace, self._matches, self._call.rendering
        elsewhere = namespace is not None and event.stored.obj["metadata"].get("namespace", namespace) != namespace
        if elsewhere:
            return b""
        if matches is None:
            return rendering.event(event.change.value, event)
        now = event.change is not Change.DELETED and matches(event.stored.obj)
        before = event.previous is not None and matches(event.previous.obj)
        if now:
            return rendering.event("MODIFIED" if before else "ADDED", event)
        return rendering.event("DELETED", event) if before else b""


def _true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name) in ("true", "1")


def _initial_forbidden() -> status.StatusError:
    why = "sendInitialEvents: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    return status.StatusError(
        422, "Invalid", f'ListOptions.meta.k8s.io "" is invalid: {why}', {"group": "meta.k8s.io", "kind": "ListOptions"}
    )


def _seconds(text: str) -> float:
    """How long a watch lasts: as asked, or between 30 and 60 minutes so that not all end at once."""
    if text.isdigit() and int(text) > 0:
        return float(text)
    return 1800.0 * (1.0 + random.random())
