"""Tables: the columns that ``kubectl get`` shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from conformance.lab.api.columns import COLUMNS, Column
from conformance.lab.api.resources import Resource

Json = dict[str, Any]

_NAME = Column("Name", lambda obj: obj["metadata"]["name"])


def age(timestamp: str | None) -> str:
    """How long ago, as kubectl writes it (``duration.HumanDuration``)."""
    if not timestamp:
        return "<unknown>"
    then = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    seconds = max(0, int((datetime.now(UTC) - then).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    return f"{days}d" if days >= 8 or not hours % 24 else f"{days}d{hours % 24}h"


_AGE = Column("Age", lambda obj: age(obj["metadata"].get("creationTimestamp")))


def render(resource: Resource, objects: list[Json], metadata: Json) -> Json:
    """The objects as a ``meta.k8s.io/v1 Table``; each row carries its object's metadata."""
    columns = COLUMNS.get(resource.key) or (
        _NAME,
        Column("Created At", lambda obj: obj["metadata"]["creationTimestamp"]),
    )
    columns = tuple({"Name": _NAME, "Age": _AGE}.get(each.name, each) for each in columns)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": each.name,
                "type": each.type,
                "format": "name" if each.name == "Name" else "",
                "description": "",
                "priority": each.priority,
            }
            for each in columns
        ],
        "rows": [
            {
                "cells": [each.cell(obj) for each in columns],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": obj["metadata"],
                },
            }
            for obj in objects
        ],
    }
