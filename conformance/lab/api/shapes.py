"""Fields and their types, for the kinds that the lab is about: what Go's decoder would refuse or drop."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.resources import Resource
from conformance.lab.api.schema import Field, messages
from conformance.lab.api.status import bad_request

Json = dict[str, Any]

_KINDS = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "EndpointSlice",
        "NetworkPolicy",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
    }
)
_GO = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
_TYPES = {"string": (str, "string"), "int": (int, "int32"), "bool": (bool, "bool")}
_MAPS = {"map": "map[string]string", "bytes-map": "map[string][]uint8", "quantities": "v1.ResourceList"}


def unfit(resource: Resource, why: str) -> str:
    """The sentence for an object that cannot be decoded."""
    return f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {why}'


def check(resource: Resource, obj: Json) -> list[str]:
    """Drop fields that the kind does not have and return their paths; 400 for a value of the wrong type."""
    if resource.kind not in _KINDS:
        return []
    unknown: list[str] = []
    _walk(resource, resource.kind, obj, "", unknown)
    return unknown


def _walk(resource: Resource, message: str, value: Json, path: str, unknown: list[str]) -> None:
    known = {field.name: field for field in messages()[message].values()}
    for name in list(value):
        here = f"{path}.{name}" if path else name
        if not path and name in ("kind", "apiVersion"):
            continue
        field = known.get(name)
        if field is None:
            unknown.append(here)
            del value[name]
        elif field.repeated:
            if not isinstance(value[name], list):
                raise _wrong(resource, message, here, value[name], f"[]{_named(field)}")
            for index, each in enumerate(value[name]):
                _one(resource, message, field, each, f"{here}[{index}]", unknown)
        else:
            _one(resource, message, field, value[name], here, unknown)


def _one(resource: Resource, message: str, field: Field, value: object, path: str, unknown: list[str]) -> None:
    if field.type in ("skipped", "time"):
        return
    if field.type in _TYPES:
        wanted, named = _TYPES[field.type]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise _wrong(resource, message, path, value, named)
    elif field.type == "int-or-string":
        if not isinstance(value, int | str) or isinstance(value, bool):
            raise _wrong(resource, message, path, value, "intstr.IntOrString")
    elif field.type in _MAPS:
        if not isinstance(value, dict):
            raise _wrong(resource, message, path, value, _MAPS[field.type])
        for each in value.values():
            if field.type != "quantities" and not isinstance(each, str):
                raise _wrong(resource, message, path, each, "string")
    elif isinstance(value, dict):
        _walk(resource, field.type, value, path, unknown)
    else:
        raise _wrong(resource, message, path, value, f"v1.{field.type}")


def _named(field: Field) -> str:
    return _TYPES[field.type][1] if field.type in _TYPES else f"v1.{field.type}"


def _wrong(resource: Resource, message: str, path: str, value: object, wanted: str) -> Exception:
    steps = ".".join(part.partition("[")[0] for part in path.split("."))
    found = _GO.get(type(value), "value")
    why = f"json: cannot unmarshal {found} into Go struct field {message}.{steps} of type {wanted}"
    return bad_request(unfit(resource, why))
