"""ConfigMaps and Secrets that pods use: each watched by name while at least one pod wants it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from conformance.lab.client import ApiClient, Informer

Json = dict[str, Any]
Key = tuple[str, str, str]  # kind (plural), namespace, name


@dataclass(slots=True)
class _Watched:
    informer: Informer
    task: asyncio.Task[None]
    listeners: list[Callable[[], None]] = field(default_factory=list)


class ObjectCache:
    """Current copies of single objects."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._watched: dict[Key, _Watched] = {}

    async def acquire(self, keys: Iterable[Key], listener: Callable[[], None]) -> None:
        """Keep ``keys`` current and call ``listener`` when one changes; returns once each is known or known absent.

        Until ``release`` with the same arguments, also when this is cancelled.
        """
        mine = list(keys)
        for key in mine:
            self._watch(key).listeners.append(listener)
        for key in mine:
            await self._watched[key].informer.synced.wait()

    def release(self, keys: Iterable[Key], listener: Callable[[], None]) -> None:
        """Undo ``acquire``."""
        for key in keys:
            watched = self._watched.get(key)
            if watched is None:
                continue
            with contextlib.suppress(ValueError):
                watched.listeners.remove(listener)
            if not watched.listeners:
                watched.task.cancel()
                del self._watched[key]

    def get(self, key: Key) -> Json | None:
        """The object, or None when it does not exist (or is not acquired)."""
        watched = self._watched.get(key)
        return watched.informer.items.get(f"{key[1]}/{key[2]}") if watched else None

    def _watch(self, key: Key) -> _Watched:
        if key not in self._watched:
            kind, namespace, name = key

            def tell(_event: str, _item: Json) -> None:
                for listener in list(watched.listeners):
                    listener()

            path = f"/api/v1/namespaces/{namespace}/{kind}"
            informer = Informer(self._client, path, {"fieldSelector": f"metadata.name={name}"}, tell)
            watched = _Watched(informer, asyncio.create_task(informer.run()))
            self._watched[key] = watched
        return self._watched[key]
