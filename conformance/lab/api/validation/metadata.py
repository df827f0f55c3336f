"""``metadata`` of every object: name, labels, annotations, finalizers, owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.lab.api.status import FieldError
from conformance.lab.api.validation import names

Json = dict[str, Any]

_ANNOTATIONS_LIMIT = 256 * 1024


def validate(metadata: Json, name_rule: Callable[[str], list[str]]) -> list[FieldError]:
    """What is wrong with the metadata of a new object."""
    errors: list[FieldError] = []
    name = metadata.get("name", "")
    if metadata.get("generateName"):
        prefix = metadata["generateName"]
        errors += [
            FieldError.invalid("metadata.generateName", prefix, problem)
            for problem in name_rule(prefix.rstrip("-") or "-")
        ]
    if not name:
        errors.append(FieldError.required("metadata.name", "name or generateName is required"))
    else:
        errors += [FieldError.invalid("metadata.name", name, problem) for problem in name_rule(name)]
    return errors + _common(metadata)


def validate_update(new: Json, old: Json) -> list[FieldError]:
    """What is wrong with changed metadata."""
    errors = []
    if "deletionTimestamp" in old:
        added = [each for each in new.get("finalizers", []) if each not in old.get("finalizers", [])]
        if added:
            told = ", ".join(f'"{each}"' for each in added)
            errors.append(
                FieldError.forbidden(
                    "metadata.finalizers",
                    "no new finalizers can be added if the object is being deleted, found new finalizers "
                    f"[]string{{{told}}}",
                )
            )
    return errors + _common(new)


def labels(having: object, path: str) -> list[FieldError]:
    """What is wrong with a map of labels."""
    if not isinstance(having, dict):
        return [FieldError.invalid(path, having, "must be a map of strings")]
    errors = []
    for key, value in having.items():
        errors += [FieldError.invalid(path, key, problem) for problem in names.qualified_name(key)]
        errors += [FieldError.invalid(path, value, problem) for problem in names.label_value(str(value))]
    return errors


def _common(metadata: Json) -> list[FieldError]:
    errors: list[FieldError] = []
    if "labels" in metadata:
        errors += labels(metadata["labels"], "metadata.labels")
    annotations = metadata.get("annotations", {})
    for key in annotations:
        errors += [
            FieldError.invalid("metadata.annotations", key, problem) for problem in names.qualified_name(key.lower())
        ]
    if sum(len(key) + len(str(value)) for key, value in annotations.items()) > _ANNOTATIONS_LIMIT:
        errors.append(FieldError.too_long("metadata.annotations", _ANNOTATIONS_LIMIT))
    for index, owner in enumerate(metadata.get("ownerReferences", [])):
        path = f"metadata.ownerReferences[{index}]"
        errors += [
            FieldError.invalid(f"{path}.{field}", "", f"{field} must not be empty")
            for field in ("apiVersion", "kind", "name", "uid")
            if not owner.get(field)
        ]
    if sum(bool(owner.get("controller")) for owner in metadata.get("ownerReferences", [])) > 1:
        errors.append(
            FieldError.invalid(
                "metadata.ownerReferences",
                metadata["ownerReferences"],
                "Only one reference can have Controller set to true.",
            )
        )
    for finalizer in metadata.get("finalizers", []):
        errors += [
            FieldError.invalid("metadata.finalizers", finalizer, problem) for problem in names.qualified_name(finalizer)
        ]
    return errors
