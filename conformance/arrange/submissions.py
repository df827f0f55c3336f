"""Questions to the API server itself: a dry run, or requests for real whose traces are removed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from conformance.arrange import manifests
from conformance.arrange.arrangement import Arrangement
from conformance.arrange.cleanup import release
from conformance.cluster.failures import ApiRefused
from conformance.cluster.paths import kind
from conformance.errors import ClusterError
from conformance.model.case.requests import Fields, Request, StaticPort, Submission, Verb
from conformance.model.surroundings import Surroundings

JSON = dict[str, Any]
DEFAULT_RANGE = "kubernetes"
"""The ServiceCIDR that the API server makes of its own flags."""
NOT_FOUND = 404
_WRITES = (Verb.CREATE, Verb.CHANGE, Verb.REPLACE, Verb.REPORT)


def answer(arrangement: Arrangement, submission: Submission, here: Surroundings) -> JSON:
    """What the API server says to the submission's decisive request: ``status``, ``fields``, ``message``, ``object``.

    ``before`` is the Service as it was just before that request. Raises `ClusterError` when the request could not be
    made: the server cannot be reached, does not let us, or refused a request that had to come first.
    """
    *first, last = submission.requests or (submission.decisive,)
    made = dict.fromkeys(r.service.name for r in submission.requests if r.verb is Verb.CREATE)
    desk = _Desk(arrangement, here, dry_run=not submission.requests)
    try:
        for request in first:
            desk.prepare(request)
        return desk.decide(last)
    finally:
        for name in made:
            desk.remove(name)


@dataclass
class _Desk:
    """Where requests are handed in; it remembers the ClusterIPs that it has seen, by the Service's name."""

    arrangement: Arrangement
    here: Surroundings
    dry_run: bool
    addresses: dict[str, str] = field(default_factory=dict)

    def prepare(self, request: Request) -> None:
        """Make a request that has to be taken; `ClusterError` where it is not."""
        try:
            self._send(request)
        except ApiRefused as no:
            what = f"{request.verb.value} Service {request.service.name}"
            raise ClusterError(f"A request that had to come first ({what}) was refused: {no.cause}", no.hint) from no

    def decide(self, request: Request) -> JSON:
        """The answer to the request that counts."""
        before = self.arrangement.cluster.find(self._path(request.service.name)) or {}
        try:
            stored = self._send(request)
        except ApiRefused as no:
            if not no.decided:
                raise
            return {"status": no.status, "fields": no.fields, "message": no.cause, "object": {}, "before": before}
        return {"status": 200, "fields": [], "message": "", "object": stored, "before": before}

    def remove(self, name: str) -> None:
        """Delete the Service, whatever holds it back."""
        cluster, path = self.arrangement.cluster, self._path(name)
        found = cluster.find(path)
        if found is None:
            return
        release(cluster, found)
        cluster.delete(path)

    def _send(self, request: Request) -> JSON:
        name = request.service.name
        stored = self._changed(request) if request.verb in _WRITES else self._seen(request)
        address = (stored.get("spec") or {}).get("clusterIP")
        if address:
            self.addresses[name] = address
        return stored

    def _changed(self, request: Request) -> JSON:
        run, cluster = self.arrangement.run, self.arrangement.cluster
        path = self._path(request.service.name)
        fields = tuple((where, self._value(value)) for where, value in request.fields)
        if request.verb is Verb.CREATE:
            made = manifests.service(run, request.service, self.here)
            return cluster.create(self._path(), with_fields(made, fields), dry_run=self.dry_run)
        if request.verb is Verb.REPLACE:
            return cluster.update(path, with_fields(cluster.get(path), fields))
        patch = patch_of(cluster.get(path), fields)
        if request.verb is Verb.REPORT:
            return cluster.patch(f"{path}/status", patch)
        return cluster.patch(path, patch, dry_run=self.dry_run)

    def _seen(self, request: Request) -> JSON:
        run, cluster, name = self.arrangement.run, self.arrangement.cluster, request.service.name
        labels = ",".join([run.selector, *(f"{key}={value}" for key, value in request.service.labels)])
        match request.verb:
            case Verb.LIST:
                return cluster.get(self._path(), {"labelSelector": labels})
            case Verb.FIND:
                named = {"labelSelector": run.selector, "fieldSelector": f"metadata.name={name}"}
                return cluster.get(kind("Service").path(), named)
            case Verb.ADDRESS:
                if name not in self.addresses:
                    raise ApiRefused(NOT_FOUND, "NotFound", f"Service {name} has no ClusterIP.", "See its spec.")
                return cluster.get(kind("IPAddress").path(name=self.addresses[name]))
            case Verb.RANGE:
                return cluster.get(kind("ServiceCIDR").path(name=DEFAULT_RANGE))
            case Verb.DELETE:
                cluster.delete(self._path(name))
            case Verb.CLEAR:
                cluster.delete(self._path(), {"labelSelector": labels})
            case _:
                return cluster.get(self._path(name))
        return {}

    def _value(self, value: object) -> object:
        return self.here.node_port(value.number) if isinstance(value, StaticPort) else value

    def _path(self, name: str | None = None) -> str:
        return kind("Service").path(self.arrangement.run.namespace, name)


def with_fields(plain: JSON, fields: Fields) -> JSON:
    """A copy of ``plain`` that holds these values at these paths; a list may grow by one element."""
    whole = deepcopy(plain)
    for path, value in fields:
        *way, last = path.split(".")
        at: Any = whole
        for word in way:
            at = at[int(word)] if isinstance(at, list) else at.setdefault(word, {})
        if not isinstance(at, list):
            at[last] = value
        elif int(last) == len(at):
            at.append(value)
        else:
            at[int(last)] = value
    return whole


def patch_of(stored: JSON, fields: Fields) -> JSON:
    """The JSON merge patch that sets ``fields`` of what is ``stored``; a list is replaced whole, as the RFC wants."""
    after, patch = with_fields(stored, fields), JSON()
    for path, _ in fields:
        source, target = after, patch
        words = path.split(".")
        for word, below in zip(words, [*words[1:], ""], strict=True):
            if not below or below.isdigit():
                target[word] = source[word]
                break
            source, target = source[word], target.setdefault(word, {})
    return patch
