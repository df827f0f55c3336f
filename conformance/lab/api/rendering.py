"""How an answer looks: plain objects, a Table for people, or only the metadata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.lab.api import event_forms, table
from conformance.lab.api.resources import Resource
from conformance.lab.api.store import Event, Stored, dumps

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rendering:
    """One way to write objects; ``convert`` is None where the stored JSON can be sent as it is."""

    resource: Resource
    convert: Callable[[Stored], Json] | None = None
    as_table: bool = False
    list_kind: str = ""
    list_version: str = "v1"

    def one(self, stored: Stored) -> bytes:
        """A single object."""
        if self.as_table:
            return dumps(table.render(self.resource, [stored.obj], {"resourceVersion": str(stored.revision)}))
        return dumps(self.convert(stored)) if self.convert else stored.whole()

    def many(self, objects: list[Stored], metadata: Json) -> bytes:
        """A list."""
        if self.as_table:
            return dumps(table.render(self.resource, [each.obj for each in objects], metadata))
        kind = self.list_kind or f"{self.resource.kind}List"
        version = self.list_version if self.list_kind else self.resource.api_version
        head = b'{"kind":%s,"apiVersion":%s,"metadata":%s,"items":[' % (dumps(kind), dumps(version), dumps(metadata))
        items = (dumps(self.convert(each)) for each in objects) if self.convert else (each.item() for each in objects)
        return head + b",".join(items) + b"]}"

    def event(self, change: str, event: Event) -> bytes:
        """A line of a watch; ``change`` differs from the event's own when a selector hides one side of it."""
        if self.convert is None and not self.as_table and change == event.change.value:
            return event.line()
        return self.line(change, event.stored)

    def line(self, change: str, stored: Stored) -> bytes:
        """A line of a watch about one object."""
        return b'{"type":"%s","object":%s}\n' % (change.encode(), self.one(stored))

    def bookmark(self, revision: int, *, initial: bool = False) -> bytes:
        """A line of a watch that says only how far it is."""
        metadata: Json = {"resourceVersion": str(revision), "creationTimestamp": None}
        if initial:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": metadata}
        if self.as_table:
            obj = table.render(self.resource, [], {"resourceVersion": str(revision)})
        return b'{"type":"BOOKMARK","object":%s}\n' % dumps(obj)


def _metadata_only(stored: Stored) -> Json:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": stored.obj["metadata"],
    }


def choose(resource: Resource, accept: str) -> Rendering:
    """The rendering that an ``Accept`` header asks for first."""
    for wanted in accept.split(","):
        options = dict(part.strip().partition("=")[::2] for part in wanted.split(";")[1:])
        if options.get("g") != "meta.k8s.io" or options.get("v") != "v1":
            if not options.get("as"):
                break
            continue
        if options.get("as") == "Table":
            return Rendering(resource, as_table=True)
        if options.get("as") in ("PartialObjectMetadata", "PartialObjectMetadataList"):
            return Rendering(resource, _metadata_only, False, "PartialObjectMetadataList", "meta.k8s.io/v1")
    if resource.stored_as:
        return Rendering(resource, lambda stored: event_forms.to_events(stored.obj))
    return Rendering(resource)
