"""Who may do what: RBAC over the stored roles and bindings; system:masters may do everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from conformance.lab.api import status
from conformance.lab.api.authn import User
from conformance.lab.api.resources import Resource, resource
from conformance.lab.api.store import Store
from conformance.lab.api.target import PlainPath, Target

Json = dict[str, Any]

_GROUP = "rbac.authorization.k8s.io"
_MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked: a verb on a resource (``resource`` with its subresource as ``pods/exec``) or on a path."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """Rules that somebody has, everywhere or in one namespace."""

    namespace: str | None
    rules: tuple[Json, ...]
    told: str


class Authorizer:
    """Decides from an index of subjects, rebuilt after a change of roles or bindings."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._index: dict[tuple[str, str], list[Grant]] | None = None
        for plural in ("roles", "rolebindings", "clusterroles", "clusterrolebindings"):
            store.listen(resource(_GROUP, plural), lambda _: self._forget())

    def _forget(self) -> None:
        self._index = None

    def allows(self, user: User, asked: Attributes) -> Grant | None:
        """The grant that allows it, None where nothing does."""
        if _MASTERS in user.groups:
            return Grant(None, (), "")
        for grant in self.grants(user, asked.namespace):
            if any(_matches(rule, asked) for rule in grant.rules):
                return grant
        return None

    def grants(self, user: User, namespace: str) -> Iterator[Grant]:
        """Everything that a user is granted in a namespace ("" for cluster scope alone)."""
        if self._index is None:
            self._index = self._built()
        for subject in (("User", user.name), *(("Group", group) for group in user.groups)):
            for grant in self._index.get(subject, ()):
                if grant.namespace is None or grant.namespace == namespace:
                    yield grant

    def check(self, user: User, target: Target | PlainPath) -> None:
        """Let the request through, or 403 in the API's words."""
        if isinstance(target, PlainPath):
            if self.allows(user, Attributes(target.verb, path=target.path)) is None:
                message = f'forbidden: User "{user.name}" cannot {target.verb} path "{target.path}"'
                raise status.StatusError(403, "Forbidden", message, {})
            return
        self._check(user, target, target.verb)
        if target.verb == "get" and target.subresource in ("attach", "exec"):
            # since 1.35 a WebSocket, which is opened with GET, needs what a POST needs
            self._check(user, target, "create")

    def _check(self, user: User, target: Target, verb: str) -> None:
        res = target.resource
        part = f"{res.plural}/{target.subresource}" if target.subresource else res.plural
        asked = Attributes(verb, res.group, part, target.namespace or "", target.name)
        if self.allows(user, asked) is None:
            raise status.forbidden(res, target.name, refusal(user, asked))

    def _built(self) -> dict[tuple[str, str], list[Grant]]:
        index: dict[tuple[str, str], list[Grant]] = {}
        for plural in ("clusterrolebindings", "rolebindings"):
            for stored in self._store.collection(resource(_GROUP, plural)).select(None):
                binding = stored.obj
                namespace = binding["metadata"].get("namespace")
                rules = self._rules(binding["roleRef"], namespace)
                grant = Grant(namespace, rules, _told(binding))
                for subject in binding.get("subjects", []):
                    index.setdefault(_subject(subject), []).append(grant)
        return index

    def _rules(self, reference: Json, namespace: str | None) -> tuple[Json, ...]:
        kind: Resource = resource(_GROUP, "roles" if reference["kind"] == "Role" else "clusterroles")
        scope = (namespace or "") if reference["kind"] == "Role" else ""
        found = self._store.collection(kind).get(scope, reference["name"])
        return tuple(found.obj.get("rules", ())) if found else ()


def refusal(user: User, asked: Attributes) -> str:
    """The words that follow "is forbidden"."""
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    return f'User "{user.name}" cannot {asked.verb} resource "{asked.resource}" in API group "{asked.group}" {where}'


def _told(binding: Json) -> str:
    name = binding["metadata"]["name"]
    namespace = binding["metadata"].get("namespace")
    where = f"{name}/{namespace}" if namespace else name
    reference = binding["roleRef"]
    return f'RBAC: allowed by {binding["kind"]} "{where}" of {reference["kind"]} "{reference["name"]}"'


def _subject(subject: Json) -> tuple[str, str]:
    if subject["kind"] == "ServiceAccount":
        return "User", f"system:serviceaccount:{subject['namespace']}:{subject['name']}"
    return subject["kind"], subject["name"]


def _in(value: str, allowed: Iterable[str]) -> bool:
    return any(each in ("*", value) for each in allowed)


def _matches(rule: Json, asked: Attributes) -> bool:
    if not _in(asked.verb, rule.get("verbs", ())):
        return False
    if asked.path:
        return any(
            each in ("*", asked.path) or (each.endswith("*") and asked.path.startswith(each[:-1]))
            for each in rule.get("nonResourceURLs", ())
        )
    if not _in(asked.group, rule.get("apiGroups", ())):
        return False
    part = asked.resource.partition("/")[2]
    wanted = rule.get("resources", ())
    if not (_in(asked.resource, wanted) or (part and f"*/{part}" in wanted)):
        return False
    only = rule.get("resourceNames")
    return not only or asked.name in only
