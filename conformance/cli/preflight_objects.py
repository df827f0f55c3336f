"""A cluster in files: what ``kubectl get -o json`` printed, asked as facts ask the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from conformance.cluster.failures import ApiRefused
from conformance.cluster.paths import KINDS
from conformance.errors import UsageError

JSON = dict[str, Any]

_HINT = "Give what `kubectl get nodes,services,daemonsets,deployments,configmaps,pods -A -o json` printed."
_KIND_OF = {kind.plural: name for name, kind in KINDS.items()}
_SET = re.compile(r"(\S+) in \((.*)\)")


class Saved:
    """The objects of files as the API would give them; what no file tells is refused, not absent."""

    def __init__(self, objects: Iterable[JSON]) -> None:
        self._objects: dict[str, list[JSON]] = {}
        for obj in objects:
            self._objects.setdefault(obj["kind"], []).append(obj)

    def version(self) -> str:
        """Objects do not tell it."""
        raise _silent("no file tells the API server's version")

    def find(self, path: str) -> JSON | None:
        """The object at ``path``."""
        *_, plural, name = path.split("/")
        parts = path.split("/namespaces/")
        namespace = parts[1].partition("/")[0] if len(parts) > 1 else None
        found = (o for o in self._held(_KIND_OF[plural]) if _named(o) == (namespace, name))
        return next(found, None)

    def objects(self, kind_name: str, namespace: str | None = None, selector: str = "") -> list[JSON]:
        """All objects of a kind, in one namespace or all, with these labels."""
        inside = [o for o in self._held(kind_name) if namespace in {None, _named(o)[0]}]
        return [o for o in inside if _selected(o["metadata"].get("labels"), selector)]

    def page(self, path: str) -> str:
        """No pod answers."""
        raise _silent("no pod answers from a file")

    def may(self, verb: str, resource: str, namespace: str, *, subresource: str) -> bool:
        """Nobody knows."""
        raise _silent("no file tells what is permitted")

    def _held(self, kind_name: str) -> list[JSON]:
        if kind_name not in self._objects:
            raise _silent(f"no file holds {kind_name} objects")
        return self._objects[kind_name]


def saved(paths: Iterable[Path]) -> Saved:
    """The objects in ``paths``: lists, single objects, or an objects.json of a scenario; `UsageError` for others."""
    return Saved(obj for path in paths for obj in _objects(path, _json(path)))


def _json(path: Path) -> JSON:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(f"{path} cannot be read: {fault}.", _HINT) from None
    except (json.JSONDecodeError, RecursionError) as fault:
        raise UsageError(f"{path} is no complete JSON: {fault}.", _HINT) from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no JSON object.", _HINT)
    return found


def _objects(path: Path, held: JSON) -> Iterator[JSON]:
    if isinstance(held.get("items"), list):
        kind = str(held.get("kind", "")).removesuffix("List")
        plain = [(one, kind) for one in held["items"]]
    elif "kind" in held:
        plain = [(held, "")]
    else:
        plain = [(one, _KIND_OF[key]) for key, each in held.items() if key in _KIND_OF for one in _listed(path, each)]
    if not plain:
        raise UsageError(f"{path} holds no objects.", _HINT)
    for one, kind in plain:
        named = {"kind": kind, **one} if isinstance(one, dict) else {}
        if not isinstance(named.get("metadata"), dict) or not isinstance(named["kind"], str):
            raise UsageError(f"{path} holds something that is no object of an API.", _HINT)
        yield named


def _listed(path: Path, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise UsageError(f"{path} holds no lists of objects.", _HINT)
    return value


def _named(obj: JSON) -> tuple[object, object]:
    return obj["metadata"].get("namespace"), obj["metadata"].get("name")


def _selected(labels: object, selector: str) -> bool:
    """Whether the labels are those of a selector of one term, ``key=value`` or ``key in (a,b)``."""
    if not selector:
        return True
    several = _SET.fullmatch(selector)
    key, _, value = selector.partition("=")
    words = several[2].split(",") if several else [value]
    return isinstance(labels, dict) and labels.get(several[1] if several else key) in words


def _silent(why: str) -> ApiRefused:
    return ApiRefused(501, "NotImplemented", f"{why}.", _HINT)
