"""The conditions in an object's status."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def condition(obj: Json, kind: str) -> Json:
    """The condition ``kind``, empty when the object has none."""
    for entry in obj.get("status", {}).get("conditions") or ():
        if entry["type"] == kind:
            found: Json = entry
            return found
    return {}


def ready(obj: Json) -> bool:
    """Whether the Ready condition of a pod or a node is True."""
    return condition(obj, "Ready").get("status") == "True"
