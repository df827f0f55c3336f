"""Server-side apply: who owns which field, conflicts between owners, and what an applied object makes of a stored one.

Ownership is recorded from the first apply on; what was there before belongs to "before-first-apply", as in a cluster
whose objects are older than the feature. That keeps ordinary writes free of the cost.
"""

from __future__ import annotations

from typing import Any

from conformance.lab.api import field_sets
from conformance.lab.api.field_sets import FieldPath, describe, leaves, value_at
from conformance.lab.api.jsons import copied
from conformance.lab.api.status import StatusError
from conformance.lab.timestamps import now

Json = dict[str, Any]

_OLDER = "before-first-apply"


def manager_of(user_agent: str) -> str:
    """The field manager that a client without one is given: the first word of its User-Agent."""
    return user_agent.partition("/")[0] or "unknown"


def first(wanted: Json, manager: str) -> Json:
    """The object that an apply creates."""
    obj: Json = copied(wanted)
    entry = _entry(manager, "Apply", wanted, leaves(wanted), "")
    obj.setdefault("metadata", {})["managedFields"] = [entry]
    return obj


def onto(obj: Json, wanted: Json, manager: str, *, force: bool, part: str) -> Json:
    """The stored object after an apply; 409 with a cause for each field that somebody else owns with another value."""
    owners = _owners(obj)
    mine = leaves(wanted)
    conflicts: list[tuple[str, FieldPath]] = []
    for entry, owned in owners:
        if _is(entry, manager, "Apply", part):
            continue
        for path in owned & mine:
            if value_at(obj, path) != value_at(wanted, path):
                conflicts.append((entry["manager"], path))
    if conflicts and not force:
        raise _conflict(conflicts)
    result = field_sets.merged(obj, wanted)
    taken = {path for _, path in conflicts}
    kept: list[Json] = []
    dropped: set[FieldPath] = set()
    others: set[FieldPath] = set()
    for entry, owned in owners:
        if _is(entry, manager, "Apply", part):
            dropped = owned - mine
            continue
        remaining = owned - taken
        others |= remaining
        if remaining:
            kept.append({**entry, "fieldsV1": field_sets.encode(remaining)})
    field_sets.relinquish(result, dropped, others)
    kept.append(_entry(manager, "Apply", wanted, mine, part))
    result["metadata"]["managedFields"] = _settled(kept, obj["metadata"].get("managedFields", []))
    return result


def track_update(old: Json, new: Json, manager: str, part: str) -> None:
    """Give the fields that an update changes to its manager, once anybody has applied to the object."""
    recorded = old["metadata"].get("managedFields")
    metadata = new.setdefault("metadata", {})
    metadata.pop("managedFields", None)
    if not recorded:
        return
    before, after = leaves(old), leaves(new)
    changed = {path for path in after if path not in before or value_at(old, path) != value_at(new, path)}
    gone = before - after
    kept: list[Json] = []
    mine: set[FieldPath] = set(changed)
    for entry in recorded:
        owned = field_sets.decode(entry["fieldsV1"])
        if _is(entry, manager, "Update", part):
            mine |= owned - gone
            continue
        remaining = owned - changed - gone
        if remaining == owned:
            kept.append(entry)
        elif remaining:
            kept.append({**entry, "fieldsV1": field_sets.encode(remaining)})
    if mine:
        kept.append(_entry(manager, "Update", new, mine, part))
    metadata["managedFields"] = _settled(kept, recorded)


def _settled(entries: list[Json], before: list[Json]) -> list[Json]:
    """The entries, each with its old time where nothing else about it changed."""
    times = {_identity(each): each for each in before}
    settled = []
    for entry in entries:
        known = times.get(_identity(entry))
        same = known is not None and known["fieldsV1"] == entry["fieldsV1"]
        settled.append(known if same and known is not None else entry)
    return settled


def _identity(entry: Json) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


def _is(entry: Json, manager: str, operation: str, part: str) -> bool:
    return _identity(entry) == (manager, operation, part)


def _entry(manager: str, operation: str, obj: Json, fields: set[FieldPath], part: str) -> Json:
    entry = {
        "manager": manager,
        "operation": operation,
        "apiVersion": obj.get("apiVersion", "v1"),
        "time": now(),
        "fieldsType": "FieldsV1",
        "fieldsV1": field_sets.encode(fields),
    }
    return {**entry, "subresource": part} if part else entry


def _owners(obj: Json) -> list[tuple[Json, set[FieldPath]]]:
    recorded = obj["metadata"].get("managedFields")
    if not recorded:
        entry = _entry(_OLDER, "Update", obj, leaves(obj), "")
        return [(entry, leaves(obj))]
    return [(entry, field_sets.decode(entry["fieldsV1"])) for entry in recorded]


def _conflict(conflicts: list[tuple[str, FieldPath]]) -> StatusError:
    by_manager: dict[str, list[str]] = {}
    for manager, path in conflicts:
        by_manager.setdefault(manager, []).append(describe(path))
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}"', "field": field}
        for manager, fields in sorted(by_manager.items())
        for field in sorted(fields)
    ]
    count = len(causes)
    if count == 1:
        message = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        told = "\n".join(
            f'conflicts with "{manager}":\n' + "\n".join(f"- {field}" for field in sorted(fields))
            for manager, fields in sorted(by_manager.items())
        )
        message = f"Apply failed with {count} conflicts: {told}"
    return StatusError(409, "Conflict", message, {"causes": causes})
