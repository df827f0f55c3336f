"""What the files of a configMap, secret, downwardAPI or projected volume are. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.lab.kubelet.environment import (
    ConfigError,
    Surroundings,
    decoded,
    field_value,
    resource_value,
)

Json = dict[str, Any]
DEFAULT_MODE = 0o644

_SINGLE = {"configMap": "name", "secret": "secretName"}


@dataclass(frozen=True, slots=True)
class File:
    """One file of a volume."""

    content: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A service account token that a volume carries at ``path``."""

    audience: str
    seconds: int
    path: str


@dataclass(frozen=True, slots=True)
class Sources:
    """A volume of any of the four kinds, in the projected volume's words."""

    entries: tuple[Json, ...]
    default_mode: int = DEFAULT_MODE
    tokens: tuple[TokenRequest, ...] = field(default=())


def sources(volume: Json) -> Sources | None:
    """The sources of ``volume``; None when it is of another kind."""
    if "projected" in volume:
        spec = volume["projected"]
        entries = tuple(spec.get("sources") or ())
        tokens = tuple(_token(entry["serviceAccountToken"]) for entry in entries if "serviceAccountToken" in entry)
        return Sources(entries, spec.get("defaultMode", DEFAULT_MODE), tokens)
    if "downwardAPI" in volume:
        spec = volume["downwardAPI"]
        return Sources(({"downwardAPI": {"items": spec.get("items") or []}},), spec.get("defaultMode", DEFAULT_MODE))
    for kind, name in _SINGLE.items():
        if kind in volume:
            spec = volume[kind]
            entry = {kind: {**spec, "name": spec.get(name, "")}}
            return Sources((entry,), spec.get("defaultMode", DEFAULT_MODE))
    return None


def references(pod: Json) -> Iterator[tuple[str, str]]:
    """Every (``configmaps`` or ``secrets``, name) that the pod's volumes and environment mention."""
    spec = pod["spec"]
    for volume in spec.get("volumes") or ():
        found = sources(volume)
        for entry in found.entries if found else ():
            yield from _named(entry, {"configMap": "configmaps", "secret": "secrets"})
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        for source in container.get("envFrom") or ():
            yield from _named(source, {"configMapRef": "configmaps", "secretRef": "secrets"})
        for variable in container.get("env") or ():
            origin = variable.get("valueFrom") or {}
            yield from _named(origin, {"configMapKeyRef": "configmaps", "secretKeyRef": "secrets"})


def _named(entry: Json, kinds: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for field_name, kind in kinds.items():
        if field_name in entry:
            yield kind, entry[field_name]["name"]


def files(pod: Json, found: Sources, around: Surroundings, tokens: Mapping[str, str]) -> dict[str, File]:
    """The volume's files by relative path; ``tokens`` by their path; ``ConfigError`` for what is missing."""
    result: dict[str, File] = {}
    for entry in found.entries:
        for kind, plural, items in (
            ("configMap", "configmaps", around.config_maps),
            ("secret", "secrets", around.secrets),
        ):
            if kind in entry:
                result |= _entries(entry[kind], plural, items, found.default_mode)
        if "downwardAPI" in entry:
            result |= _downward(pod, entry["downwardAPI"], around, found.default_mode)
    for token in found.tokens:
        result[token.path] = File(tokens[token.path].encode(), found.default_mode)
    return result


def _entries(spec: Json, kind: str, items: Mapping[str, Json], mode: int) -> dict[str, File]:
    singular = kind.removesuffix("s")
    item = items.get(spec["name"])
    if item is None:
        if spec.get("optional"):
            return {}
        raise ConfigError(f'{singular} "{spec["name"]}" not found')
    data = decoded(kind, item)
    if not spec.get("items"):
        return {key: File(value, mode) for key, value in data.items()}
    result = {}
    for chosen in spec["items"]:
        if chosen["key"] in data:
            result[chosen["path"]] = File(data[chosen["key"]], chosen.get("mode", mode))
        elif not spec.get("optional"):
            raise ConfigError(f'{singular} "{spec["name"]}" references non-existent key: {chosen["key"]}')
    return result


def _downward(pod: Json, spec: Json, around: Surroundings, mode: int) -> dict[str, File]:
    containers = {one["name"]: one for one in pod["spec"]["containers"]}
    result = {}
    for item in spec.get("items") or ():
        if "fieldRef" in item:
            value = field_value(pod, item["fieldRef"]["fieldPath"], around)
        else:
            reference = item["resourceFieldRef"]
            value = resource_value(containers[reference["containerName"]], reference)
        result[item["path"]] = File(value.encode(), item.get("mode", mode))
    return result


def _token(spec: Json) -> TokenRequest:
    return TokenRequest(spec.get("audience", ""), int(spec.get("expirationSeconds") or 3600), spec["path"])
