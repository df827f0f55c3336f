"""What a request is about: the verb, and the resource, namespace, name and subresource that its path names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.lab.api.resources import BY_PATH, Resource
from conformance.lab.api.status import StatusError, method_not_allowed, no_such_path

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True, slots=True)
class Target:
    """A request for a resource; ``namespace`` is None where the path names none."""

    verb: str
    resource: Resource
    namespace: str | None = None
    name: str = ""
    subresource: str = ""

    @property
    def attributes(self) -> tuple[str, str, str, str, str, str]:
        """Verb, group, resource, subresource, namespace, name: what an authorizer decides on."""
        res = self.resource
        return self.verb, res.group, res.plural, self.subresource, self.namespace or "", self.name


@dataclass(frozen=True, slots=True)
class PlainPath:
    """A request for something that is no resource: discovery, health, version."""

    verb: str
    path: str


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    match method:
        case "GET" | "HEAD":
            if query.get("watch") in ("true", "1"):
                return "watch"
            return "get" if name else "list"
        case "DELETE":
            return "delete" if name else "deletecollection"
        case _:
            return _VERBS.get(method, method.lower())


def parse(method: str, path: str, query: Mapping[str, str]) -> Target | PlainPath:
    """The target of a request; 404 for an unknown resource, 405 for a verb that it does not have."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return PlainPath(method.lower(), path)
    namespace: str | None = None
    if rest[0] == "namespaces" and len(rest) > 2 and not (len(rest) == 3 and rest[2] in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    res = BY_PATH.get((group, version, plural))
    if res is None or len(rest) > 3 or (namespace is not None and not res.namespaced):
        raise no_such_path()
    if res.namespaced and namespace is None and (name or method == "POST"):
        raise no_such_path() if name or "create" not in res.verbs else _needs_namespace(res)
    verb = _verb(method, name, query)
    verbs = res.verbs
    if subresource:
        part = res.subresource(subresource)
        if part is None:
            raise no_such_path()
        verbs = part.verbs
    misplaced = bool(name) if verb == "create" and not subresource else not name and verb in ("patch", "update")
    if verb not in verbs or misplaced:
        raise method_not_allowed()
    if res.plural == "namespaces" and name:
        namespace = name
    return Target(verb, res, namespace, name, subresource)


def _needs_namespace(res: Resource) -> StatusError:
    return method_not_allowed() if res.namespaced else no_such_path()
