"""Which lists are merged by key, for strategic merge patches and for server-side apply.

Taken from the ``patchMergeKey`` and ``x-kubernetes-list-map-keys`` markers of the published API (OpenAPI of 1.36).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListRule:
    """``strategic``: the merge key of a strategic patch; ``keys``: the identity under apply; ``scalars``: a set."""

    strategic: str = ""
    keys: tuple[str, ...] = ()
    scalars: bool = False


def _by(strategic: str, *keys: str) -> ListRule:
    return ListRule(strategic, keys or (strategic,))


SET = ListRule(scalars=True)
ATOMIC = ListRule()

_CONTAINER: dict[Path, ListRule] = {
    ("env",): _by("name"),
    ("ports",): _by("containerPort", "containerPort", "protocol"),
    ("volumeMounts",): _by("mountPath"),
    ("volumeDevices",): _by("devicePath"),
    ("resources", "claims"): ListRule("", ("name",)),
}
_POD: dict[Path, ListRule] = {
    ("volumes",): _by("name"),
    ("imagePullSecrets",): _by("name"),
    ("hostAliases",): _by("ip"),
    ("topologySpreadConstraints",): _by("topologyKey", "topologyKey", "whenUnsatisfiable"),
    ("schedulingGates",): _by("name"),
    ("resourceClaims",): _by("name"),
}
for _kind in ("containers", "initContainers", "ephemeralContainers"):
    _POD[_kind,] = _by("name")
    for _path, _rule in _CONTAINER.items():
        _POD[_kind, "*", *_path] = _rule

_META: dict[Path, ListRule] = {("ownerReferences",): _by("uid"), ("finalizers",): SET}
_CONDITIONS: dict[Path, ListRule] = {("status", "conditions"): _by("type")}

_KINDS: dict[str, dict[Path, ListRule]] = {
    "Pod": {
        **{("spec", *path): rule for path, rule in _POD.items()},
        **_CONDITIONS,
        ("status", "podIPs"): _by("ip"),
        ("status", "hostIPs"): ListRule("ip"),
    },
    "Service": {
        ("spec", "ports"): _by("port", "port", "protocol"),
        **_CONDITIONS,
    },
    "ServiceAccount": {("secrets",): _by("name"), ("imagePullSecrets",): ATOMIC},
    "Node": {**_CONDITIONS, ("status", "addresses"): _by("type"), ("spec", "podCIDRs"): SET},
    "Namespace": {**_CONDITIONS},
    "EndpointSlice": {},
    "Event": {},
}
for _name in ("Deployment", "DaemonSet", "ReplicaSet"):
    _KINDS[_name] = {**{("spec", "template", "spec", *path): rule for path, rule in _POD.items()}, **_CONDITIONS}
    for _path, _rule in _META.items():
        _KINDS[_name]["spec", "template", "metadata", *_path] = _rule


@cache
def rule(kind: str, path: Path) -> ListRule:
    """How the list at ``path`` of a kind is merged ("*" stands for a list's element); atomic where nothing is said."""
    if path and path[0] == "metadata":
        return _META.get(path[1:], ATOMIC)
    return _KINDS.get(kind, {}).get(path, ATOMIC)
