"""Objects and what happened to them: one counter of versions, a bounded history per resource, watchers.

Everything is synchronous and runs in one event loop, so that a read, a check and a write cannot be torn apart.
Stored objects are never changed in place: whoever wants another one writes another one.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from conformance.lab.api.resources import RESOURCES, Resource

Json = dict[str, Any]

HISTORY = 10_000
"""Events kept per resource; a watch from before the oldest is told 410."""

BACKLOG = 20_000
"""Events a watcher may be behind before it is cut off."""


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def dumps(value: object) -> bytes:
    """Compact JSON."""
    return _encode(value).encode()


class Change(Enum):
    """What a watch event says."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Stored:
    """One version of an object; its JSON is made once, when first asked for."""

    __slots__ = ("_body", "_head", "obj", "revision")

    def __init__(self, resource: Resource, obj: Json, revision: int) -> None:
        self.obj = obj
        self.revision = revision
        self._head = b'{"kind":"%s","apiVersion":"%s",' % (resource.kind.encode(), resource.api_version.encode())
        self._body: bytes | None = None

    def item(self) -> bytes:
        """The object as an item of a list, without kind and apiVersion as the real server sends it."""
        if self._body is None:
            self._body = dumps({key: value for key, value in self.obj.items() if key not in ("kind", "apiVersion")})
        return self._body

    def whole(self) -> bytes:
        """The object with kind and apiVersion."""
        return self._head + self.item()[1:]


class Event:
    """One change; ``previous`` is what was there before it."""

    __slots__ = ("_line", "change", "previous", "revision", "stored")

    def __init__(self, change: Change, stored: Stored, previous: Stored | None) -> None:
        self.change = change
        self.stored = stored
        self.previous = previous
        self.revision = stored.revision
        self._line: bytes | None = None

    def line(self) -> bytes:
        """The event as a watch sends it, made once for all watchers."""
        if self._line is None:
            self._line = b'{"type":"%s","object":%s}\n' % (self.change.value.encode(), self.stored.whole())
        return self._line


class Watcher:
    """A queue of events for one watch; ``ended`` once it fell too far behind or the server stops."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._ready = asyncio.Event()
        self.ended = False

    def offer(self, event: Event) -> None:
        """Take an event, unless there are too many."""
        if len(self._events) >= BACKLOG:
            self.ended = True
        else:
            self._events.append(event)
        self._ready.set()

    def end(self) -> None:
        """Let the watch end."""
        self.ended = True
        self._ready.set()

    async def take(self, seconds: float) -> list[Event]:
        """All events so far; waits for the first, at most ``seconds``."""
        if not self._ready.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._ready.wait()
            except TimeoutError:
                return []
        self._ready.clear()
        events = list(self._events)
        self._events.clear()
        return events


@dataclass(frozen=True, slots=True)
class Expired(Exception):
    """The asked version is gone; ``oldest`` is the first that could still be told."""

    oldest: int


class Collection:
    """All objects of one resource, by namespace ("" for cluster scope) and name."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Stored]] = {}
        self.history: deque[Event] = deque()
        self.compacted = 0
        self.watchers: set[Watcher] = set()

    def get(self, namespace: str, name: str) -> Stored | None:
        """The object of that name."""
        return self.objects.get(namespace, {}).get(name)

    def select(self, namespace: str | None) -> list[Stored]:
        """The objects of one namespace, or of all, in the order of namespace and name."""
        if namespace is not None:
            within = self.objects.get(namespace, {})
            return [within[name] for name in sorted(within)]
        return [within[name] for _, within in sorted(self.objects.items()) for name in sorted(within)]

    def count(self) -> int:
        """How many objects there are."""
        return sum(len(within) for within in self.objects.values())

    def since(self, revision: int) -> Iterator[Event]:
        """The events after a version, oldest first; Expired when some of them are forgotten."""
        if revision < self.compacted:
            raise Expired(self.compacted)
        return (event for event in list(self.history) if event.revision > revision)

    def as_of(self, namespace: str | None, revision: int) -> list[Stored]:
        """The objects as they were at a version; Expired when that is forgotten."""
        found = {_key(each): each for each in self.select(namespace)}
        for event in reversed(list(self.since(revision))):
            key = _key(event.stored)
            if namespace is not None and key[0] != namespace:
                continue
            if event.previous is None:
                found.pop(key, None)
            else:
                found[key] = event.previous
        return [found[key] for key in sorted(found)]


def _key(stored: Stored) -> tuple[str, str]:
    metadata = stored.obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class Store:
    """Every collection, and the one counter of versions."""

    def __init__(self, history: int = HISTORY) -> None:
        self.revision = 1
        self._bound = history
        self._collections = {each.key: Collection() for each in RESOURCES}
        self._listeners: dict[tuple[str, str], list[Callable[[Event], None]]] = {}

    def collection(self, resource: Resource) -> Collection:
        """The objects of a resource."""
        return self._collections[resource.key]

    def end_watches(self) -> None:
        """End every watch."""
        for collection in self._collections.values():
            for watcher in collection.watchers:
                watcher.end()

    def listen(self, resource: Resource, listener: Callable[[Event], None]) -> None:
        """Call ``listener`` at once with every change of a resource."""
        self._listeners.setdefault(resource.key, []).append(listener)

    def write(self, resource: Resource, obj: Json) -> Stored:
        """Put an object in the place of what has its name, under a new version."""
        previous = self.collection(resource).get(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        return self._record(resource, obj, Change.MODIFIED if previous else Change.ADDED, previous)

    def remove(self, resource: Resource, obj: Json) -> Stored:
        """Take an object away; the returned last version is what watchers see."""
        previous = self.collection(resource).get(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        return self._record(resource, obj, Change.DELETED, previous)

    def _record(self, resource: Resource, obj: Json, change: Change, previous: Stored | None) -> Stored:
        self.revision += 1
        metadata = obj["metadata"]
        metadata["resourceVersion"] = str(self.revision)
        stored = Stored(resource, obj, self.revision)
        collection = self._collections[resource.key]
        namespace = metadata.get("namespace", "")
        if change is Change.DELETED:
            collection.objects[namespace].pop(metadata["name"], None)
        else:
            collection.objects.setdefault(namespace, {})[metadata["name"]] = stored
        event = Event(change, stored, previous)
        collection.history.append(event)
        if len(collection.history) > self._bound:
            collection.compacted = collection.history.popleft().revision
        for watcher in collection.watchers:
            watcher.offer(event)
        for listener in self._listeners.get(resource.key, ()):
            listener(event)
        return stored
