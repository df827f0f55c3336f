"""Questions to the API server itself: a dry run, or requests for real whose traces are removed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from conformance.arrange import manifests
from conformance.arrange.arrangement import Arrangement
from conformance.cluster.failures import ApiRefused
from conformance.cluster.paths import kind
from conformance.errors import ClusterError
from conformance.model.case.requests import Fields, Request, StaticPort, Submission, Verb
from conformance.model.surroundings import Surroundings

JSON = dict[str, Any]
FINALIZERS = "nftconform.io/"
"""What the kit's own finalizers begin with; another's is never taken away."""


def answer(arrangement: Arrangement, submission: Submission, here: Surroundings) -> JSON:
    """What the API server says to the submission's decisive request: ``status``, ``fields``, ``message``, ``object``.

    ``before`` is the object as it was just before that request. Raises `ClusterError` when the request could not be
    made: the server cannot be reached, does not let us, or refused a request that had to come first.
    """
    *first, last = submission.requests or (submission.decisive,)
    made = dict.fromkeys(r.service.name for r in submission.requests if r.verb is Verb.CREATE)
    try:
        for request in first:
            _prepare(arrangement, request, here)
        return _decided(arrangement, last, here, dry_run=not submission.requests)
    finally:
        for name in made:
            _remove(arrangement, name)


def _prepare(arrangement: Arrangement, request: Request, here: Surroundings) -> None:
    try:
        _send(arrangement, request, here, dry_run=False)
    except ApiRefused as no:
        what = f"{request.verb.value} Service {request.service.name}"
        raise ClusterError(f"A request that had to come first ({what}) was refused: {no.cause}", no.hint) from no


def _decided(arrangement: Arrangement, request: Request, here: Surroundings, *, dry_run: bool) -> JSON:
    before = arrangement.cluster.find(_path(arrangement, request)) or {}
    try:
        stored = _send(arrangement, request, here, dry_run=dry_run)
    except ApiRefused as no:
        if not no.decided:
            raise
        return {"status": no.status, "fields": no.fields, "message": no.cause, "object": {}, "before": before}
    return {"status": 200, "fields": [], "message": "", "object": stored, "before": before}


def _send(arrangement: Arrangement, request: Request, here: Surroundings, *, dry_run: bool) -> JSON:
    run, cluster = arrangement.run, arrangement.cluster
    path, every = _path(arrangement, request), kind("Service").path(run.namespace)
    fields = tuple((where, _value(value, here)) for where, value in request.fields)
    labels = ",".join([run.selector, *(f"{key}={value}" for key, value in request.service.labels)])
    match request.verb:
        case Verb.CREATE:
            made = manifests.service(run, request.service, here)
            return cluster.create(every, with_fields(made, fields), dry_run=dry_run)
        case Verb.CHANGE:
            return cluster.patch(path, patch_of(cluster.get(path), fields), dry_run=dry_run)
        case Verb.REPLACE:
            return cluster.update(path, with_fields(cluster.get(path), fields))
        case Verb.REPORT:
            return cluster.patch(f"{path}/status", patch_of(cluster.get(path), fields))
        case Verb.READ:
            return cluster.get(path)
        case Verb.LIST:
            return cluster.get(every, {"labelSelector": labels})
        case Verb.FIND:
            named = {"labelSelector": run.selector, "fieldSelector": f"metadata.name={request.service.name}"}
            return cluster.get(kind("Service").path(), named)
        case Verb.DELETE:
            cluster.delete(path)
        case Verb.CLEAR:
            cluster.delete(every, {"labelSelector": labels})
    return {}


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


def _value(value: object, here: Surroundings) -> object:
    return here.node_port(value.number) if isinstance(value, StaticPort) else value


def _path(arrangement: Arrangement, request: Request) -> str:
    return kind("Service").path(arrangement.run.namespace, request.service.name)


def _remove(arrangement: Arrangement, name: str) -> None:
    cluster, path = arrangement.cluster, kind("Service").path(arrangement.run.namespace, name)
    found = cluster.find(path)
    if found is None:
        return
    held = found["metadata"].get("finalizers") or []
    others = [f for f in held if not f.startswith(FINALIZERS)]
    if others != held:
        cluster.patch(path, {"metadata": {"finalizers": others or None}})
    cluster.delete(path)
