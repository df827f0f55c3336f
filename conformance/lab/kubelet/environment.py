"""A container's environment, command and arguments, as a kubelet computes them. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")

_REFERENCE = re.compile(r"\$(?:\$|\(([^()$]*)\))")
_SUBSCRIPT = re.compile(r"^metadata\.(labels|annotations)\['(.+)'\]$")


class ConfigError(Exception):
    """A container refers to something that is not there (reason ``CreateContainerConfigError``)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a pod's fields and environment may refer to besides its own spec.

    ``config_maps`` and ``secrets`` by name, in the pod's namespace; ``services`` of all namespaces that are needed.
    """

    pod_ips: tuple[str, ...] = ()
    host_ips: tuple[str, ...] = ()
    services: tuple[Json, ...] = ()
    config_maps: Mapping[str, Json] = field(default_factory=dict)
    secrets: Mapping[str, Json] = field(default_factory=dict)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace ``$(NAME)`` of known names; ``$$(NAME)`` stays as ``$(NAME)``, unknown references stay as they are."""

    def replace(match: re.Match[str]) -> str:
        if match.group(0) == "$$":
            return "$"
        return variables.get(match.group(1), match.group(0))

    return _REFERENCE.sub(replace, text)


def field_value(pod: Json, path: str, around: Surroundings) -> str:
    """The value of a downward API field; ``ConfigError`` for a field that pods do not have."""
    metadata, spec = pod["metadata"], pod["spec"]
    if match := _SUBSCRIPT.match(path):
        return str((metadata.get(match.group(1)) or {}).get(match.group(2), ""))
    match path:
        case "metadata.name" | "metadata.namespace" | "metadata.uid":
            return str(metadata[path.removeprefix("metadata.")])
        case "metadata.labels" | "metadata.annotations":
            entries: Json = metadata.get(path.removeprefix("metadata.")) or {}
            return "\n".join(f'{key}="{_quoted(value)}"' for key, value in sorted(entries.items()))
        case "spec.nodeName":
            return str(spec.get("nodeName", ""))
        case "spec.serviceAccountName":
            return str(spec.get("serviceAccountName", ""))
        case "status.podIP":
            return around.pod_ips[0] if around.pod_ips else ""
        case "status.podIPs":
            return ",".join(around.pod_ips)
        case "status.hostIP":
            return around.host_ips[0] if around.host_ips else ""
        case "status.hostIPs":
            return ",".join(around.host_ips)
    raise ConfigError(f"the field {path} is not supported")


def container_environment(pod: Json, container: Json, around: Surroundings, image: Mapping[str, str]) -> dict[str, str]:
    """All variables of a container: ``image``'s, then Services', ``envFrom`` and ``env``; ``ConfigError``."""
    result = dict(image) | service_variables(pod, around.services)
    for source in container.get("envFrom") or ():
        prefix = source.get("prefix", "")
        for key, value in _source_entries(source, around).items():
            result[prefix + key] = value
    # A variable sees those above it, Services and envFrom included.
    for entry in container.get("env") or ():
        if "valueFrom" in entry:
            found = _value_from(pod, container, entry["valueFrom"], around)
            if found is not None:
                result[entry["name"]] = found
        else:
            result[entry["name"]] = expand(entry.get("value") or "", result)
    return result


def service_variables(pod: Json, services: Iterable[Json]) -> dict[str, str]:
    """``KUBERNETES_SERVICE_HOST`` and the Docker-link style variables of the namespace's Services.

    Without ``enableServiceLinks`` only those of the ``kubernetes`` Service.
    """
    namespace, links = pod["metadata"]["namespace"], pod["spec"].get("enableServiceLinks", True)
    result: dict[str, str] = {}
    for service in services:
        meta, spec = service["metadata"], service["spec"]
        master = (meta["namespace"], meta["name"]) == ("default", "kubernetes")
        if not master and (not links or meta["namespace"] != namespace):
            continue
        if spec.get("clusterIP") not in (None, "", "None"):
            result |= _links(meta["name"], spec)
    return result


def _links(name: str, spec: Json) -> dict[str, str]:
    prefix, host = name.upper().replace("-", "_"), spec["clusterIP"]
    ports: list[Json] = spec.get("ports") or []
    if not ports:
        return {}
    bracketed = f"[{host}]" if ":" in host else host
    result = {f"{prefix}_SERVICE_HOST": host, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    for index, port in enumerate(ports):
        protocol, number = port.get("protocol", "TCP"), port["port"]
        if port.get("name"):
            result[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(number)
        url = f"{protocol.lower()}://{bracketed}:{number}"
        if index == 0:
            result[f"{prefix}_PORT"] = url
        link = f"{prefix}_PORT_{number}_{protocol.upper()}"
        result |= {
            link: url,
            f"{link}_PROTO": protocol.lower(),
            f"{link}_PORT": str(number),
            f"{link}_ADDR": host,
        }
    return result


def decoded(kind: str, item: Json) -> dict[str, bytes]:
    """The entries of a ConfigMap or Secret as bytes."""
    if kind == "secrets":
        return {key: base64.b64decode(value) for key, value in (item.get("data") or {}).items()}
    plain = {key: str(value).encode() for key, value in (item.get("data") or {}).items()}
    return plain | {key: base64.b64decode(value) for key, value in (item.get("binaryData") or {}).items()}


def _source_entries(source: Json, around: Surroundings) -> dict[str, str]:
    for field_name, kind, items in (
        ("configMapRef", "configmaps", around.config_maps),
        ("secretRef", "secrets", around.secrets),
    ):
        if field_name in source:
            found = items.get(source[field_name]["name"])
            if found is None:
                return _absent(source[field_name], kind, dict[str, str]())
            return {key: value.decode(errors="replace") for key, value in decoded(kind, found).items()}
    return {}


def _value_from(pod: Json, container: Json, source: Json, around: Surroundings) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], around)
    if "resourceFieldRef" in source:
        return resource_value(container, source["resourceFieldRef"])
    for field_name, kind, items in (
        ("configMapKeyRef", "configmaps", around.config_maps),
        ("secretKeyRef", "secrets", around.secrets),
    ):
        if field_name in source:
            reference = source[field_name]
            found = items.get(reference["name"])
            if found is None:
                return _absent(reference, kind, None)
            value = decoded(kind, found).get(reference["key"])
            if value is None:
                return _absent(reference, kind, None)
            return value.decode(errors="replace")
    raise ConfigError("a variable has a source that is not supported")


def resource_value(container: Json, reference: Json) -> str:
    """A container's own request or limit as it was written; ``0`` when it has none (the lab enforces none)."""
    section, _, name = reference["resource"].partition(".")
    return str(((container.get("resources") or {}).get(section) or {}).get(name, "0"))


def _absent(reference: Json, kind: str, otherwise: T) -> T:
    if reference.get("optional"):
        return otherwise
    what = f'key "{reference["key"]}" of ' if "key" in reference else ""
    raise ConfigError(f'{what}{kind.removesuffix("s")} "{reference["name"]}" not found')


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
