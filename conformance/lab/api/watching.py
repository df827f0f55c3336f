"""Watches: the changes after a version, as they happen, in JSON lines."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp.web import StreamResponse

from conformance.lab.api import status
from conformance.lab.api.call import Call
from conformance.lab.api.objects import Objects, selection
from conformance.lab.api.store import Change, Collection, Event, Expired, Store, Watcher, dumps

Json = dict[str, Any]
Matcher = Callable[[Json], bool] | None

BOOKMARK_INTERVAL = 60.0
"""Seconds between bookmarks of a quiet watch, as the real server's watch cache sends them."""


class Watches:
    """The handler of ``watch=true``."""

    def __init__(self, store: Store, objects: Objects, bookmark_interval: float = BOOKMARK_INTERVAL) -> None:
        self._store = store
        self._objects = objects
        self._interval = bookmark_interval

    async def watch(self, call: Call) -> StreamResponse:
        """Stream changes until the time the client gave is over, the client leaves, or it falls too far behind."""
        matches = selection(call)
        response = StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
        response.enable_chunked_encoding()
        collection = self._store.collection(call.target.resource)
        # from here to the registration nothing is awaited: no change can fall between the past and the present
        watcher = Watcher()
        first = self._beginning(call, collection, watcher, matches)
        collection.watchers.add(watcher)
        try:
            await response.prepare(call.request)
            if first:
                await response.write(first)
            await self._follow(call, response, watcher, matches)
            await response.write_eof()
        except ConnectionError:
            return response
        finally:
            collection.watchers.discard(watcher)
        return response

    def _beginning(self, call: Call, collection: Collection, watcher: Watcher, matches: Matcher) -> bytes:
        """What a watch says first: the objects that there are, or what happened since the asked version."""
        query = call.query
        asked = query.get("resourceVersion", "")
        if asked and not asked.isdigit():
            raise status.bad_request(f'strconv.ParseUint: parsing "{asked}": invalid syntax')
        initial = query.get("sendInitialEvents")
        if initial == "true" and query.get("resourceVersionMatch") != "NotOlderThan":
            raise _initial_forbidden()
        if initial == "true" or (asked in ("", "0") and initial is None):
            lines = [call.rendering.line("ADDED", each) for each in self._objects.select(call)]
            if initial == "true" and _true(query, "allowWatchBookmarks"):
                lines.append(call.rendering.bookmark(self._store.revision, initial=True))
            return b"".join(lines)
        revision = int(asked) if asked not in ("", "0") else self._store.revision
        try:
            return b"".join([self._line(call, event, matches) for event in collection.since(revision)])
        except Expired as error:
            # told inside the stream with HTTP 200, as the real server's watch cache does
            watcher.end()
            gone = status.expired(f"too old resource version: {revision} ({error.oldest})")
            return b'{"type":"ERROR","object":%s}\n' % dumps(gone.body())

    async def _follow(self, call: Call, response: StreamResponse, watcher: Watcher, matches: Matcher) -> None:
        clock = asyncio.get_running_loop().time
        ends = clock() + _seconds(call.query.get("timeoutSeconds", ""))
        bookmarks = _true(call.query, "allowWatchBookmarks")
        told = clock()
        while not watcher.ended and clock() < ends:
            events = await watcher.take(max(0.0, min(ends, told + self._interval) - clock()))
            data = b"".join([self._line(call, event, matches) for event in events])
            if clock() >= told + self._interval:
                told = clock()
                if bookmarks:
                    data += call.rendering.bookmark(self._store.revision)
            if data:
                await response.write(data)

    def _line(self, call: Call, event: Event, matches: Matcher) -> bytes:
        """What a watch says about an event: nothing, or less than happened, where the selectors hide a side of it."""
        namespace = call.target.namespace
        elsewhere = namespace is not None and event.stored.obj["metadata"].get("namespace", namespace) != namespace
        if elsewhere:
            return b""
        if matches is None:
            return call.rendering.event(event.change.value, event)
        now = event.change is not Change.DELETED and matches(event.stored.obj)
        before = event.previous is not None and matches(event.previous.obj)
        if now:
            return call.rendering.event("MODIFIED" if before else "ADDED", event)
        return call.rendering.event("DELETED", event) if before else b""


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
