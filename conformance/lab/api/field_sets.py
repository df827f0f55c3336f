"""Sets of field paths (``FieldsV1``): which leaves an object has, merging by them, and their written form.

A path is a tuple of steps: ``f:name`` for a field, ``k:{...}`` for an element of a keyed list, ``v:...`` for an element
of a set, as in FieldsV1 itself.
"""

from __future__ import annotations

import json
from typing import Any

from conformance.lab.api import merge_keys
from conformance.lab.api.merge_keys import ListRule

Json = dict[str, Any]
FieldPath = tuple[str, ...]

_UNOWNED = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "resourceVersion",
        "generation",
        "selfLink",
        "managedFields",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    }
)
_DEFAULTS = {"protocol": "TCP"}
"""List keys that may be left out, and what they are then."""


def _element(rule: ListRule, value: Any) -> str:  # noqa: ANN401
    if rule.scalars:
        return "v:" + json.dumps(value, separators=(",", ":"))
    keys = {key: value.get(key, _DEFAULTS.get(key)) for key in rule.keys}
    return "k:" + json.dumps({k: v for k, v in keys.items() if v is not None}, separators=(",", ":"), sort_keys=True)


def leaves(obj: Json) -> set[FieldPath]:
    """The paths of everything that an object says and that can be owned."""
    found: set[FieldPath] = set()
    for key, value in obj.items():
        if key in ("kind", "apiVersion"):
            continue
        if key == "metadata":
            for field, inner in value.items():
                if field not in _UNOWNED:
                    _collect(obj.get("kind", ""), ("metadata", field), ("f:metadata", f"f:{field}"), inner, found)
        else:
            _collect(obj.get("kind", ""), (key,), (f"f:{key}",), value, found)
    return found


def _collect(kind: str, place: tuple[str, ...], path: FieldPath, value: Any, found: set[FieldPath]) -> None:  # noqa: ANN401
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _collect(kind, (*place, key), (*path, f"f:{key}"), inner, found)
        return
    rule = merge_keys.rule(kind, place)
    if isinstance(value, list) and (rule.keys or rule.scalars):
        for each in value:
            step = (*path, _element(rule, each))
            found.add(step)
            if isinstance(each, dict):
                for key, inner in each.items():
                    _collect(kind, (*place, "*", key), (*step, f"f:{key}"), inner, found)
        return
    found.add(path)


def value_at(obj: Any, path: FieldPath) -> Any:  # noqa: ANN401
    """What an object says at a path; None where it says nothing, True for an element that is there."""
    value = obj
    for step in path:
        if step.startswith("f:"):
            value = value.get(step[2:]) if isinstance(value, dict) else None
        else:
            index = _find(value, step)
            value = None if index is None else value[index]
        if value is None:
            return None
    return value if path[-1].startswith("f:") else True


def _find(elements: Any, step: str) -> int | None:  # noqa: ANN401
    if not isinstance(elements, list):
        return None
    wanted = json.loads(step[2:])
    for index, each in enumerate(elements):
        if step.startswith("v:"):
            if each == wanted:
                return index
        elif isinstance(each, dict) and all(each.get(k, _DEFAULTS.get(k)) == v for k, v in wanted.items()):
            return index
    return None


def erase(obj: Json, path: FieldPath) -> None:
    """Remove what an object says at a path."""
    parent: Any = obj
    for step in path[:-1]:
        if step.startswith("f:"):
            parent = parent.get(step[2:]) if isinstance(parent, dict) else None
        else:
            index = _find(parent, step)
            parent = None if index is None else parent[index]
        if parent is None:
            return
    last = path[-1]
    if last.startswith("f:"):
        if isinstance(parent, dict):
            parent.pop(last[2:], None)
        return
    index = _find(parent, last)
    if index is not None:
        del parent[index]


def relinquish(obj: Json, paths: set[FieldPath], kept: set[FieldPath]) -> None:
    """Remove what nobody owns any more; an element in which something is ``kept`` stays, with the keys that name it."""
    # elements before what is in them: without its keys an element could not be found
    for path in sorted(paths - kept, key=len):
        if path[-1].startswith("f:"):
            named = path[-2].startswith("k:") if len(path) > 1 else False
            if named and path[-1][2:] in json.loads(path[-2][2:]):
                continue
        elif any(other[: len(path)] == path for other in kept):
            continue
        erase(obj, path)


def merged(obj: Json, wanted: Json) -> Json:
    """A stored object with everything an applied one says put over it."""
    result: Json = _merge(str(obj.get("kind", "")), (), obj, wanted)
    return result


def _merge(kind: str, place: tuple[str, ...], old: Any, new: Any) -> Any:  # noqa: ANN401
    if isinstance(new, dict) and isinstance(old, dict):
        result = dict(old)
        for key, value in new.items():
            result[key] = _merge(kind, (*place, key), old.get(key), value)
        return result
    rule = merge_keys.rule(kind, place)
    if not (isinstance(new, list) and isinstance(old, list) and (rule.keys or rule.scalars)):
        return new
    elements = list(old)
    for each in new:
        index = _find(elements, _element(rule, each))
        if index is None:
            elements.append(each)
        else:
            elements[index] = _merge(kind, (*place, "*"), elements[index], each)
    return elements


def encode(paths: set[FieldPath]) -> Json:
    """The ``fieldsV1`` of a set of paths."""
    tree: Json = {}
    for path in sorted(paths):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        if not path[-1].startswith("f:"):
            node["."] = {}
    return tree


def decode(tree: Json) -> set[FieldPath]:
    """The paths of a ``fieldsV1``."""
    found: set[FieldPath] = set()
    _walk(tree, (), found)
    return found


def _walk(tree: Json, path: FieldPath, found: set[FieldPath]) -> None:
    for step, inner in tree.items():
        if step == ".":
            found.add(path)
        elif inner:
            _walk(inner, (*path, step), found)
        else:
            found.add((*path, step))


def describe(path: FieldPath) -> str:
    """A path as messages write it: ``.spec.ports[port=80,protocol="TCP"].targetPort``."""
    told = ""
    for step in path:
        if step.startswith("f:"):
            name = step[2:]
            told += f".{name}"
        elif step.startswith("k:"):
            keys = json.loads(step[2:])
            told += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]"
        else:
            told += f"[={step[2:]}]"
    return told
