"""The verbs on objects: get, list, create, update, patch, delete, deletecollection."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from aiohttp.web import Response

from conformance.lab.api import apply, event_forms, patch, selectors, status
from conformance.lab.api.call import Call, respond
from conformance.lab.api.jsons import clean
from conformance.lab.api.registry import Registry
from conformance.lab.api.resources import Resource
from conformance.lab.api.store import Expired, Stored

Json = dict[str, Any]

CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


def selection(call: Call) -> Callable[[Json], bool] | None:
    """The predicate of the request's selectors, None where every object is meant."""
    query = call.query
    by_label = selectors.labels(query.get("labelSelector", ""))
    by_field = selectors.fields(call.target.resource, query.get("fieldSelector", ""))
    if by_label is None:
        return by_field
    labels = by_label
    if by_field is None:
        return lambda obj: labels(obj["metadata"].get("labels", {}))
    fields = by_field
    return lambda obj: labels(obj["metadata"].get("labels", {})) and fields(obj)


class Objects:
    """Handlers of the verbs, on one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store

    def get(self, call: Call) -> Response:
        """GET of one object."""
        return call.answer(self._registry.get(call.target.resource, call.namespace, call.target.name))

    def select(self, call: Call) -> list[Stored]:
        """The objects that the path and the selectors mean."""
        res = call.target.resource
        collection = self._store.collection(res)
        namespace = call.target.namespace if res.namespaced else None
        name = selectors.named(call.query.get("fieldSelector", ""))
        if name is not None and (namespace is not None or not res.namespaced):
            found = collection.get(namespace or "", name)
            objects = [] if found is None else [found]
        else:
            objects = collection.select(namespace)
        matches = selection(call)
        return objects if matches is None else [each for each in objects if matches(each.obj)]

    def page(self, call: Call) -> Response:
        """GET of a collection, whole or in pages that all show the same moment; 410 once that moment is forgotten."""
        query = call.query
        token = query.get("continue", "")
        limit = _number(query.get("limit", "0"), "limit")
        revision, after = self._store.revision, ""
        exact = query.get("resourceVersionMatch") == "Exact"
        if token:
            revision, after = _resume(token)
        elif exact:
            revision = _number(query.get("resourceVersion", ""), "resourceVersion")
        if revision < self._store.revision:
            objects = self._past(call, revision, token)
        else:
            self._reached(query.get("resourceVersion", ""))
            objects = self.select(call)
        if after:
            objects = [each for each in objects if _place(each) > after]
        metadata: Json = {"resourceVersion": str(revision)}
        if limit and len(objects) > limit:
            metadata["continue"] = _token(revision, _place(objects[limit - 1]))
            metadata["remainingItemCount"] = len(objects) - limit
            objects = objects[:limit]
        return respond(call.rendering.many(objects, metadata), warn=call.target.resource.plural == "endpoints")

    def _past(self, call: Call, revision: int, token: str) -> list[Stored]:
        collection = self._store.collection(call.target.resource)
        namespace = call.target.namespace if call.target.resource.namespaced else None
        try:
            objects = collection.as_of(namespace, revision)
        except Expired as error:
            if token:
                raise status.expired(CONTINUE_EXPIRED) from error
            raise status.expired(f"too old resource version: {revision} ({error.oldest})") from error
        matches = selection(call)
        return objects if matches is None else [each for each in objects if matches(each.obj)]

    def _reached(self, wanted: str) -> None:
        if wanted not in ("", "0") and _number(wanted, "resourceVersion") > self._store.revision:
            message = f"Too large resource version: {wanted}, current: {self._store.revision}"
            causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            raise status.StatusError(504, "Timeout", message, {"retryAfterSeconds": 1, "causes": causes})

    async def create(self, call: Call) -> Response:
        """POST of an object."""
        obj = _stored_form(call.target.resource, call.shaped(await call.body()))
        res = _stored_resource(call.target.resource)
        stored = self._registry.create(res, call.namespace, obj, dry_run=call.dry_run)
        return call.answer(stored, 201)

    async def update(self, call: Call) -> Response:
        """PUT of an object or of its status."""
        target = call.target
        obj = _stored_form(target.resource, call.shaped(await call.body()))
        res = _stored_resource(target.resource)
        old = self._store.collection(res).get(call.namespace, target.name)
        if old is None:
            if target.subresource or not self._registry.strategy(res).create_on_update:
                raise status.not_found(target.resource, target.name)
            obj.setdefault("metadata", {}).setdefault("name", target.name)
            return call.answer(self._registry.create(res, call.namespace, obj, dry_run=call.dry_run), 201)
        manager = call.query.get("fieldManager") or apply.manager_of(call.request.headers.get("User-Agent", ""))
        apply.track_update(old.obj, obj, manager, target.subresource)
        stored = self._registry.update(res, old, obj, part=target.subresource, dry_run=call.dry_run)
        return call.answer(stored)

    async def patch(self, call: Call) -> Response:
        """PATCH of an object or of its status, in any of the four languages."""
        value = await call.value()
        kind = call.request.content_type
        if kind in ("application/apply-patch+yaml", "application/apply-patch+cbor"):
            return self._apply(call, value)
        target = call.target
        res = _stored_resource(target.resource)

        def change(obj: Json) -> Json:
            match kind:
                case "application/json-patch+json":
                    changed = patch.json_patch(obj, value)
                case "application/merge-patch+json":
                    changed = patch.merge_patch(obj, _object(value))
                case "application/strategic-merge-patch+json":
                    changed = patch.strategic_patch(target.resource.kind, obj, _object(value))
                case _:
                    raise status.unsupported_media_type(
                        "application/json-patch+json, application/merge-patch+json, "
                        "application/strategic-merge-patch+json, application/apply-patch+yaml"
                    )
            manager = call.query.get("fieldManager") or apply.manager_of(call.request.headers.get("User-Agent", ""))
            changed = call.shaped(clean(changed))
            apply.track_update(obj, changed, manager, target.subresource)
            return changed

        stored = self._registry.modify(
            res, call.namespace, target.name, change, part=target.subresource, dry_run=call.dry_run
        )
        return call.answer(stored)

    def _apply(self, call: Call, value: object) -> Response:
        target = call.target
        manager = call.query.get("fieldManager", "")
        if not manager:
            raise status.bad_request(
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
            )
        force = call.query.get("force") == "true"
        wanted = call.shaped(clean(_object(value)))
        old = self._store.collection(target.resource).get(call.namespace, target.name)
        if old is None:
            if target.subresource:
                raise status.not_found(target.resource, target.name)
            obj = apply.first(wanted, manager)
            obj.setdefault("metadata", {}).setdefault("name", target.name)
            stored = self._registry.create(target.resource, call.namespace, obj, dry_run=call.dry_run)
            return call.answer(stored, 201)

        def change(obj: Json) -> Json:
            return apply.onto(obj, wanted, manager, force=force, part=target.subresource)

        stored = self._registry.modify(
            target.resource, call.namespace, target.name, change, part=target.subresource, dry_run=call.dry_run
        )
        return call.answer(stored)

    async def delete(self, call: Call) -> Response:
        """DELETE of one object."""
        options = await call.delete_options()
        res = call.target.resource
        deleted = self._registry.delete(res, call.namespace, call.target.name, options)
        if not deleted.gone or self._registry.strategy(res).returns_deleted:
            return call.answer(deleted.stored)
        details: Json = {"name": call.target.name}
        if res.group:
            details["group"] = res.group
        details |= {"kind": res.plural, "uid": deleted.stored.obj["metadata"]["uid"]}
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return respond(body)

    async def delete_collection(self, call: Call) -> Response:
        """DELETE of every object that the path and the selectors mean."""
        options = await call.delete_options()
        res = call.target.resource
        gone = []
        for stored in self.select(call):
            metadata = stored.obj["metadata"]
            gone.append(self._registry.delete(res, metadata.get("namespace", ""), metadata["name"], options).stored)
        return respond(call.rendering.many(gone, {"resourceVersion": str(self._store.revision)}))


def _stored_resource(res: Resource) -> Resource:
    if res.stored_as is None:
        return res
    return next(each for each in event_forms.STORED if each.key == res.key)


def _stored_form(res: Resource, obj: Json) -> Json:
    return event_forms.to_core(obj) if res.stored_as else obj


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise status.bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    return value


def _number(text: str, what: str) -> int:
    if not text.isdigit():
        raise status.bad_request(f'Invalid value: "{text}": {what} must be a number')
    return int(text)


def _place(stored: Stored) -> str:
    metadata = stored.obj["metadata"]
    return f"{metadata.get('namespace', '')}\0{metadata['name']}"


def _token(revision: int, after: str) -> str:
    inner = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": after})
    return base64.urlsafe_b64encode(inner.encode()).rstrip(b"=").decode()


def _resume(token: str) -> tuple[int, str]:
    try:
        inner = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(inner["rv"]), str(inner["start"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise status.bad_request(f"continue key is not valid: {error}") from error
