"""Tables: the columns that ``kubectl get`` shows."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.columns import COLUMNS, Column, age
from conformance.lab.api.resources import Resource

Json = dict[str, Any]

_NAME = Column("Name", lambda obj: obj["metadata"]["name"])


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
