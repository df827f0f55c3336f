"""Network configurations: what a conflist or a single conf says, and what each plugin of it is told (pure).

Source: SPEC.md of containernetworking/cni, section 1, and ``libcni/api.go`` where that says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

VERSIONS = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
"""What is spoken; earlier ones know no chains of plugins."""

_OF_ALL = ("cniVersion", "cniVersions", "name")
_CHECKING, _COLLECTING = "0.4.0", "1.1.0"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]*\Z")


class ConfError(ValueError):
    """It is no network configuration; the message continues "FILE ...", without a full stop."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network configuration list. Each of ``plugins`` has a ``type``; ``name`` and ``version`` are the list's."""

    name: str
    version: str
    plugins: tuple[Json, ...]
    disable_check: bool = False
    disable_gc: bool = False

    @property
    def checks(self) -> bool:
        """Whether CHECK may be asked, and DEL is given the previous result."""
        return self._knows(_CHECKING)

    @property
    def collects(self) -> bool:
        """Whether GC and STATUS are known."""
        return self._knows(_COLLECTING)

    @property
    def types(self) -> tuple[str, ...]:
        """The programs it needs: each plugin's, and that of its address management."""
        found = (name for one in self.plugins for name in (one["type"], (one.get("ipam") or {}).get("type")))
        return tuple(dict.fromkeys(name for name in found if name))

    def _knows(self, since: str) -> bool:
        return VERSIONS.index(self.version) >= VERSIONS.index(since)


def parse(text: str | bytes) -> Network:
    """The network that a ``.conflist`` or (one plugin) a ``.conf`` describes; ``ConfError``."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}: {error.msg})" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfError(f"is not JSON{where}") from error
    return of(found)


def of(found: object) -> Network:
    """The same from what was JSON; ``ConfError``."""
    if not isinstance(found, dict):
        raise ConfError("is not a JSON object")
    version = _version(found)
    name = _word(found, "name")
    if not _NAME.match(name):
        raise ConfError(f"has the name {name!r}, but names are letters, digits, '_', '.' and '-' only")
    if "plugins" not in found and "type" in found:
        plugins: object = [{key: value for key, value in found.items() if key not in _OF_ALL}]
    else:
        plugins = found.get("plugins")
    if not isinstance(plugins, list) or not plugins:
        raise ConfError("has no plugins: 'plugins' must be a list of one or more")
    return Network(
        name,
        version,
        tuple(_plugin(one, f"plugins[{index}]") for index, one in enumerate(plugins)),
        _flag(found, "disableCheck"),
        _flag(found, "disableGC"),
    )


def _version(found: Json) -> str:
    """The newest known one of ``cniVersion`` and, since 1.1.0, ``cniVersions``, whatever the plugins speak."""
    offered = found.get("cniVersions", [])
    if not isinstance(offered, list) or not all(isinstance(one, str) for one in offered):
        raise ConfError("has 'cniVersions' that are not a list of strings")
    if "cniVersion" in found or not offered:
        offered = [*offered, _word(found, "cniVersion")]
    known = [version for version in VERSIONS if version in offered]
    if not known:
        raise ConfError(f"has the unknown cniVersion {', '.join(map(repr, offered))}; known are {', '.join(VERSIONS)}")
    return known[-1]


def told(network: Network, plugin: Json, runtime: Mapping[str, Any], previous: Json | None) -> Json:
    """What ``plugin`` reads; ``runtime`` are values by capability, of which it gets those that it declares."""
    made: Json = {**plugin, "name": network.name, "cniVersion": network.version}
    # A word for the runtime: SPEC.md forbids to pass it on.
    declared = made.pop("capabilities", {})
    config = {name: value for name, value in runtime.items() if declared.get(name)}
    if config:
        made["runtimeConfig"] = config
    if previous is not None:
        made["prevResult"] = previous
    return made


def _plugin(one: object, where: str) -> Json:
    if not isinstance(one, dict):
        raise ConfError(f"is wrong in {where}: a plugin is an object")
    try:
        _check_plugin(one)
    except ConfError as error:
        raise ConfError(f"is wrong in {where}: it {error}") from error
    return one


def _check_plugin(one: Json) -> None:
    programs = [_word(one, "type")]
    for field in ("ipam", "dns", "args"):
        if not isinstance(one.get(field, {}), dict):
            raise ConfError(f"has a {field!r} that is no object")
    if one.get("ipam"):
        programs.append(_word(one["ipam"], "type"))
    for name in programs:
        if "/" in name or name in (".", ".."):
            raise ConfError(f"has the type {name!r}, which is no program's name")
    _flags(one, "capabilities")


def _word(found: Json, field: str) -> str:
    value = found.get(field)
    if value is None or value == "":
        raise ConfError(f"names no {field}")
    if not isinstance(value, str):
        raise ConfError(f"has a {field!r} that is no string")
    return value


def _flag(found: Json, field: str) -> bool:
    """A boolean, which libcni also takes as a string."""
    value = found.get(field, False)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ConfError(f"has a {field!r} that is neither true nor false")
    return value


def _flags(found: Json, field: str) -> None:
    value = found.get(field, {})
    if not isinstance(value, dict) or not all(isinstance(flag, bool) for flag in value.values()):
        raise ConfError(f"has {field!r} that are not an object of true and false")
