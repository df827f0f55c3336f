"""Events in their two forms: core/v1, as they are stored, and events.k8s.io/v1."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.resources import resource

Json = dict[str, Any]

_PAIRS = (
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
)
STORED = (resource("", "events"),)
"""The resources whose objects are also shown in another form."""

_TO_EVENTS = dict(_PAIRS)
_TO_CORE = {new: old for old, new in _PAIRS}


def to_events(obj: Json) -> Json:
    """The events.k8s.io form of a stored event."""
    converted = {_TO_EVENTS.get(key, key): value for key, value in obj.items()}
    return {**converted, "kind": "Event", "apiVersion": "events.k8s.io/v1"}


def to_core(obj: Json) -> Json:
    """The stored form of an events.k8s.io event."""
    converted = {_TO_CORE.get(key, key): value for key, value in obj.items()}
    return {**converted, "kind": "Event", "apiVersion": "v1"}
