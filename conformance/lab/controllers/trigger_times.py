"""When the change happened that a write of endpoints reflects (``last-change-trigger-time``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.lab.conditions import condition

Json = dict[str, Any]


class TriggerTimes:
    """Remembers, per Service, the newest change already exported; as upstream's TriggerTimeTracker."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, str]] = {}

    def next(self, key: str, service: Json, pods: Iterable[Json]) -> str:
        """The earliest change not yet exported (RFC 3339, so texts compare as times), or empty when there is none."""
        times = {pod["metadata"]["uid"]: _ready_since(pod) for pod in pods}
        times[""] = service["metadata"].get("creationTimestamp", "")
        seen, self._seen[key] = self._seen.get(key, {}), times
        return min((at for uid, at in times.items() if at > seen.get(uid, "")), default="")

    def forget(self, key: str) -> None:
        """The Service is gone."""
        self._seen.pop(key, None)


def _ready_since(pod: Json) -> str:
    return str(condition(pod, "Ready").get("lastTransitionTime") or "")
