"""JSON patch (RFC 6902), merge patch (RFC 7386) and Kubernetes' strategic merge patch."""

from __future__ import annotations

from typing import Any

import jsonpatch
import jsonpointer

from conformance.lab.api import merge_keys
from conformance.lab.api.status import StatusError, bad_request

Json = dict[str, Any]

_DIRECTIVES = ("$patch", "$retainKeys")


def json_patch(obj: Json, operations: object) -> Json:
    """The object after a list of operations; 422 where one of them fails, as the real server answers."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    try:
        patched = jsonpatch.apply_patch(obj, operations)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
        message = f"the server rejected our request due to an error in our request: {error}"
        raise StatusError(422, "Invalid", message, {}) from error
    if not isinstance(patched, dict):
        raise bad_request("the patch leaves no object")
    return patched


def merge_patch(obj: Any, patch: Any) -> Any:  # noqa: ANN401  RFC 7386 is defined on any JSON value
    """The value after a merge patch: objects merge, null removes, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_patch(kind: str, obj: Json, patch: Json) -> Json:
    """The object after a strategic merge patch: lists with a merge key merge by element."""
    return _merge_object(kind, (), obj, patch)


def _merge_object(kind: str, path: tuple[str, ...], obj: Json, patch: Json) -> Json:
    directive = patch.get("$patch")
    if directive == "replace":
        return {key: value for key, value in patch.items() if key not in _DIRECTIVES}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type: {directive}")
    merged = dict(obj)
    if "$retainKeys" in patch:
        retained = patch["$retainKeys"]
        merged = {key: value for key, value in merged.items() if key in retained}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            merged[field] = [each for each in merged.get(field, []) if each not in value]
    for key, value in patch.items():
        if key in _DIRECTIVES or key.startswith(("$deleteFromPrimitiveList/", "$setElementOrder/")):
            continue
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            old = merged.get(key)
            merged[key] = _merge_object(kind, (*path, key), old if isinstance(old, dict) else {}, value)
        elif isinstance(value, list):
            order = patch.get(f"$setElementOrder/{key}")
            merged[key] = _merge_list(kind, (*path, key), merged.get(key), value, order)
        else:
            merged[key] = value
    for key, order in patch.items():
        field = key.partition("/")[2]
        if key.startswith("$setElementOrder/") and field not in patch and isinstance(merged.get(field), list):
            merged[field] = _ordered(merged[field], order, merge_keys.rule(kind, (*path, field)).strategic)
    return merged


def _merge_list(
    kind: str, path: tuple[str, ...], old: list[Any] | None, patch: list[Any], order: list[Any] | None
) -> list[Any]:
    rule = merge_keys.rule(kind, path)
    if rule.scalars:
        merged = list(old or [])
        merged += [each for each in patch if each not in merged]
        return _ordered(merged, order, "")
    key = rule.strategic
    if not key or any(isinstance(each, dict) and each.get("$patch") == "replace" for each in patch):
        return [each for each in patch if not (isinstance(each, dict) and "$patch" in each)]
    elements: list[Json] = list(old or [])
    for each in patch:
        if not isinstance(each, dict) or key not in each:
            raise bad_request(f"map: {each} does not contain declared merge key: {key}")
        at = [index for index, element in enumerate(elements) if element.get(key) == each[key]]
        if each.get("$patch") == "delete":
            elements = [element for index, element in enumerate(elements) if index not in at]
        elif at:
            elements[at[0]] = _merge_object(kind, (*path, "*"), elements[at[0]], each)
        else:
            elements.append(_merge_object(kind, (*path, "*"), {}, each))
    return _ordered(elements, order, key)


def _ordered(elements: list[Any], order: list[Any] | None, key: str) -> list[Any]:
    """The elements in the order that the patch asks for; those it does not name keep their place behind."""
    if not order:
        return elements
    places = [each.get(key) if key and isinstance(each, dict) else each for each in order]

    def place(element: Any) -> int:  # noqa: ANN401
        value = element.get(key) if key and isinstance(element, dict) else element
        return places.index(value) if value in places else len(places)

    return sorted(elements, key=place)
