"""Distributing endpoints over EndpointSlices with the fewest writes (pure)."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

MAX_ENDPOINTS = 100
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SERVICE_NAME = "kubernetes.io/service-name"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"


@dataclass(slots=True)
class Changes:
    """Slices to create, to update and to delete."""

    create: list[Json] = field(default_factory=list)
    update: list[Json] = field(default_factory=list)
    delete: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """Endpoints of one family that share their ports, by identity."""

    address_type: str
    ports: list[Json]
    endpoints: dict[str, Json] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What slices of this group, and only those, have in common."""
        return self.address_type, ports_key(self.ports)

    def add(self, endpoint: Json) -> None:
        """Add an endpoint; a second one of the same identity replaces the first."""
        self.endpoints[identity(endpoint)] = endpoint


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What every slice of one owner looks like.

    ``placeholder``: a family without endpoints gets one empty slice. ``trigger_time`` (RFC 3339) goes on every write.
    """

    namespace: str
    generate_name: str
    labels: Mapping[str, str]
    owner: Mapping[str, Any]
    families: tuple[str, ...]
    placeholder: bool
    annotations: Mapping[str, str] = field(default_factory=dict)
    trigger_time: str = ""

    def slice(self, group: Group, endpoints: list[Json], like: Json | None = None) -> Json:
        """A slice of ``group``; ``like`` is the one whose name and history it keeps."""
        if like is not None:
            metadata = copy.deepcopy(like["metadata"])
        else:
            metadata = {
                "generateName": self.generate_name,
                "namespace": self.namespace,
                "ownerReferences": [dict(self.owner)],
            }
        metadata["labels"] = dict(self.labels)
        metadata["annotations"] = dict(self.annotations)
        if self.trigger_time:
            metadata["annotations"][TRIGGER_TIME] = self.trigger_time
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": metadata,
            "addressType": group.address_type,
            "ports": group.ports,
            "endpoints": endpoints,
        }


def assign(blueprint: Blueprint, groups: Iterable[Group], existing: Iterable[Json]) -> Changes:
    """The writes that make ``existing`` carry ``groups``; endpoints stay in the slice that has them."""
    changes, groups, existing = Changes(), list(groups), list(existing)
    mine: dict[tuple[str, str], list[Json]] = {}
    for piece in existing:
        if piece["addressType"] in blueprint.families and _owned(piece, blueprint):
            mine.setdefault((piece["addressType"], ports_key(piece.get("ports") or ())), []).append(piece)
        else:
            changes.delete.append(piece)
    for family in blueprint.families:
        part, unchanged = Changes(), 0
        for group in groups:
            if group.address_type == family and group.endpoints:
                unchanged += _fill(blueprint, group, mine.pop(group.key, []), part)
        part.delete += [piece for key in list(mine) if key[0] == family for piece in mine.pop(key)]
        if blueprint.placeholder and not (part.create or part.update or unchanged):
            part.create.append(blueprint.slice(Group(family, []), []))
        _reuse(part)
        changes.create += part.create
        changes.update += part.update
        changes.delete += part.delete
    before = {piece["metadata"]["name"]: _content(piece) for piece in existing}
    changes.update = [piece for piece in changes.update if _content(piece) != before[piece["metadata"]["name"]]]
    return changes


def identity(endpoint: Json) -> str:
    """What makes an endpoint the same one in two states: its addresses, hostname and target."""
    target = endpoint.get("targetRef") or {}
    return json.dumps([endpoint["addresses"], endpoint.get("hostname"), target.get("name"), target.get("uid")])


def ports_key(ports: Iterable[Json]) -> str:
    """Equal for equal sets of ports."""
    keys = (json.dumps([p.get("name") or "", p.get("protocol"), p.get("port"), p.get("appProtocol")]) for p in ports)
    return "\n".join(sorted(keys))


def _fill(blueprint: Blueprint, group: Group, having: list[Json], changes: Changes) -> int:
    """Put a group into the slices it has and as few new ones as needed; how many slices stay as they are."""
    waiting = dict(group.endpoints)
    changed: list[Json] = []
    unchanged: list[Json] = []
    for piece in having:
        kept = [waiting.pop(i) for i in map(identity, piece.get("endpoints") or ()) if i in waiting]
        new = blueprint.slice(group, kept, like=piece)
        if not kept:
            changes.delete.append(piece)
        elif _content(new) == _content(piece):
            unchanged.append(piece)
        else:
            changed.append(new)
    # Slices that are written anyway are filled first, the fullest first; then come new full ones; the rest goes into
    # the unchanged slice that it fills best.
    for piece in sorted(changed, key=lambda piece: -len(piece["endpoints"])):
        while waiting and len(piece["endpoints"]) < MAX_ENDPOINTS:
            piece["endpoints"].append(waiting.pop(next(iter(waiting))))
    while waiting:
        batch = [waiting.pop(i) for i in list(waiting)[:MAX_ENDPOINTS]]
        fits = [piece for piece in unchanged if len(piece["endpoints"]) + len(batch) <= MAX_ENDPOINTS]
        if fits:
            best = max(fits, key=lambda piece: len(piece["endpoints"]))
            unchanged.remove(best)
            kept = [group.endpoints[identity(endpoint)] for endpoint in best["endpoints"]]
            changed.append(blueprint.slice(group, kept + batch, like=best))
        else:
            changes.create.append(blueprint.slice(group, batch))
    changes.update += changed
    return len(unchanged)


def _reuse(changes: Changes) -> None:
    """Turn pairs of a deletion and a creation of one family into updates."""
    while changes.create and changes.delete:
        old, new = changes.delete.pop(), changes.create.pop()
        kept = {k: new["metadata"][k] for k in ("labels", "annotations")}
        changes.update.append({**new, "metadata": {**copy.deepcopy(old["metadata"]), **kept}})


def _owned(piece: Json, blueprint: Blueprint) -> bool:
    return any(owner["uid"] == blueprint.owner["uid"] for owner in piece["metadata"].get("ownerReferences") or ())


def _content(piece: Json) -> Json:
    annotations = piece["metadata"].get("annotations") or {}
    return {
        "labels": piece["metadata"].get("labels") or {},
        "annotations": {k: v for k, v in annotations.items() if k != TRIGGER_TIME},
        "ports": ports_key(piece.get("ports") or ()),
        "endpoints": [{k: v for k, v in e.items() if v} for e in piece.get("endpoints") or ()],
    }
