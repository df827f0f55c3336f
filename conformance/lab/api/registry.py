"""Create, update, delete: the order in which a write is decoded, defaulted, checked, admitted and stored.

Every method is synchronous, so that two requests cannot see each other half done.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.lab.api import status
from conformance.lab.api.allocation import Allocation
from conformance.lab.api.jsons import clean, copied
from conformance.lab.api.resources import Resource, resource
from conformance.lab.api.store import Store, Stored
from conformance.lab.api.strategies.base import Strategy
from conformance.lab.api.validation import metadata as metadata_rules
from conformance.lab.timestamps import now

Json = dict[str, Any]

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_CARRIED = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
)


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """``meta/v1 DeleteOptions`` as far as a delete uses them."""

    dry_run: bool = False
    grace: int | None = None
    propagation: str | None = None
    uid: str | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a delete left: the object's last version, and whether it is gone."""

    stored: Stored
    gone: bool


class Registry:
    """The objects, behind their strategies."""

    def __init__(self, store: Store, strategies: dict[tuple[str, str], Strategy]) -> None:
        self.store = store
        self._strategies = strategies
        self._plain = Strategy()
        self._namespaces = resource("", "namespaces")

    def strategy(self, res: Resource) -> Strategy:
        """The rules of a resource."""
        return self._strategies.get(res.key, self._plain)

    def get(self, res: Resource, namespace: str, name: str) -> Stored:
        """The object, or 404."""
        stored = self.store.collection(res).get(namespace, name)
        if stored is None:
            raise status.not_found(res, name)
        return stored

    def create(self, res: Resource, namespace: str, obj: Json, *, dry_run: bool = False) -> Stored:
        """Store a new object; 409 when its name is taken, 422 when it breaks a rule."""
        strategy = self.strategy(res)
        metadata = self._identify(res, namespace, obj)
        if metadata.get("resourceVersion"):
            raise status.internal_error("resourceVersion should not be set on objects to be created")
        if namespace:
            self._open_namespace(res, namespace, metadata.get("name", ""))
        generate = metadata.get("generateName", "")
        if not metadata.get("name") and generate:
            metadata["name"] = self._generated(res, namespace, generate)
        for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation", "resourceVersion"):
            metadata.pop(field, None)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = now()
        strategy.default(obj)
        strategy.admit(obj)
        allocation = strategy.begin(obj, None, dry_run=dry_run)
        strategy.prepare_create(obj)
        if strategy.generation:
            metadata["generation"] = 1
        name = metadata.get("name", "")
        errors = metadata_rules.validate(metadata, strategy.validate_name) + strategy.validate(obj)
        if errors:
            raise status.invalid(res, name, errors)
        if self.store.collection(res).get(namespace, name) is not None:
            raise status.already_exists(res, name)
        if dry_run:
            return Stored(res, obj, self.store.revision)
        allocation.commit()
        return self.store.write(res, obj)

    def update(self, res: Resource, old: Stored, obj: Json, *, part: str = "", dry_run: bool = False) -> Stored:
        """Put ``obj`` in the place of ``old``; ``part`` is "" or the subresource that is written."""
        strategy = self.strategy(res)
        before = old.obj
        name = before["metadata"]["name"]
        metadata = self._identify(res, before["metadata"].get("namespace", ""), obj)
        self._same_version(res, metadata, before["metadata"], unconditional=strategy.unconditional_update)
        for field in _CARRIED:
            if field in before["metadata"]:
                metadata[field] = before["metadata"][field]
            else:
                metadata.pop(field, None)
        for field in ("selfLink", "resourceVersion"):
            metadata.pop(field, None)
        allocation = Allocation()
        if part == "status":
            strategy.prepare_status(obj, before)
            strategy.default(obj)
            metadata = obj["metadata"]
            errors = strategy.validate_status(obj, before)
        else:
            strategy.default(obj)
            if not part:
                allocation = strategy.begin(obj, before, dry_run=dry_run)
                strategy.prepare_update(obj, before)
            errors = metadata_rules.validate_update(metadata, before["metadata"])
            if part != "binding":  # the one way by which a pod's node is set, where an update may not touch it
                errors += strategy.validate_update(obj, before)
        if errors:
            raise status.invalid(res, name, errors)
        if strategy.generation and _changed(obj, before):
            metadata["generation"] = before["metadata"].get("generation", 0) + 1
        metadata["resourceVersion"] = before["metadata"]["resourceVersion"]
        if obj == before:
            return old
        if dry_run:
            return Stored(res, obj, old.revision)
        allocation.commit()
        if "deletionTimestamp" in metadata and not metadata.get("finalizers") and not strategy.holds(obj):
            waits = metadata.get("deletionGracePeriodSeconds", 0) != 0
            if not waits:
                return self._remove(res, obj, strategy)
        return self.store.write(res, obj)

    def modify(
        self,
        res: Resource,
        namespace: str,
        name: str,
        change: Callable[[Json], Json],
        *,
        part: str = "",
        dry_run: bool = False,
    ) -> Stored:
        """Update with what ``change`` makes of a copy of the stored object."""
        old = self.get(res, namespace, name)
        return self.update(res, old, clean(change(copied(old.obj))), part=part, dry_run=dry_run)

    def delete(self, res: Resource, namespace: str, name: str, options: DeleteOptions) -> Deleted:
        """Remove an object, or mark it when finalizers or its grace period hold it."""
        strategy = self.strategy(res)
        old = self.get(res, namespace, name)
        before = old.obj["metadata"]
        if options.uid is not None and options.uid != before["uid"]:
            why = f"Precondition failed: UID in precondition: {options.uid}, UID in object meta: {before['uid']}"
            raise status.conflict(res, name, why)
        if options.revision is not None and options.revision != before["resourceVersion"]:
            why = (
                f"Precondition failed: ResourceVersion in precondition: {options.revision}, "
                f"ResourceVersion in object meta: {before['resourceVersion']}"
            )
            raise status.conflict(res, name, why)
        if name in strategy.undeletable:
            raise status.forbidden(res, name, f"this {res.singular} may not be deleted")
        obj = copied(old.obj)
        metadata = obj["metadata"]
        _propagate(metadata, options.propagation)
        grace = strategy.begin_delete(obj, options.grace)
        held = grace > 0 or bool(metadata.get("finalizers")) or strategy.holds(obj)
        if not held:
            if options.dry_run:
                return Deleted(old, gone=True)
            metadata.setdefault("deletionTimestamp", now())
            metadata.setdefault("deletionGracePeriodSeconds", 0)
            return Deleted(self._remove(res, obj, strategy), gone=True)
        if "deletionTimestamp" not in metadata or grace < metadata.get("deletionGracePeriodSeconds", 0):
            metadata["deletionTimestamp"] = now(grace)
            metadata["deletionGracePeriodSeconds"] = grace
            if strategy.generation:
                metadata["generation"] = before.get("generation", 0) + 1
            strategy.marked(obj)
        if options.dry_run or obj == old.obj:
            return Deleted(Stored(res, obj, old.revision), gone=False)
        return Deleted(self.store.write(res, obj), gone=False)

    def _remove(self, res: Resource, obj: Json, strategy: Strategy) -> Stored:
        strategy.removed(obj)
        return self.store.remove(res, obj)

    def _identify(self, res: Resource, namespace: str, obj: Json) -> Json:
        kind, version = obj.get("kind") or res.kind, obj.get("apiVersion") or res.api_version
        if version != res.api_version:
            raise status.bad_request(
                f"the API version in the data ({version}) does not match the expected API version ({res.api_version})"
            )
        if kind != res.kind:
            raise status.bad_request(
                f'{kind} in version "{res.version}" cannot be handled as a {res.kind}: converting {kind} to {res.kind}'
            )
        obj["kind"], obj["apiVersion"] = kind, version
        metadata = obj.setdefault("metadata", {})
        if not isinstance(metadata, dict):
            raise status.bad_request(
                f'{kind} in version "{res.version}" cannot be handled as a {res.kind}: bad metadata'
            )
        if not res.namespaced:
            metadata.pop("namespace", None)
        elif metadata.setdefault("namespace", namespace) != namespace:
            raise status.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        return metadata

    def _open_namespace(self, res: Resource, namespace: str, name: str) -> None:
        found = self.store.collection(self._namespaces).get("", namespace)
        if found is None:
            raise status.not_found(self._namespaces, namespace)
        if "deletionTimestamp" in found.obj["metadata"]:
            error = status.forbidden(
                res, name, f"unable to create new content in namespace {namespace} because it is being terminated"
            )
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
            error.details = {**(error.details or {}), "causes": [cause]}
            raise error

    def _generated(self, res: Resource, namespace: str, prefix: str) -> str:
        collection = self.store.collection(res)
        for _ in range(8):
            name = prefix[:58] + "".join(random.choices(_SUFFIX, k=5))
            if collection.get(namespace, name) is None:
                return name
        raise status.already_exists(res, name)

    def _same_version(self, res: Resource, new: Json, old: Json, *, unconditional: bool) -> None:
        name = old["name"]
        if new.get("name", name) != name:
            raise status.bad_request(
                f"the name of the object ({new['name']}) does not match the name on the URL ({name})"
            )
        if new.get("uid") and new["uid"] != old["uid"]:
            why = f"Precondition failed: UID in precondition: {new['uid']}, UID in object meta: {old['uid']}"
            raise status.conflict(res, name, why)
        revision = new.get("resourceVersion")
        if not revision:
            if not unconditional:
                error = status.FieldError.invalid("metadata.resourceVersion", 0, "must be specified for an update")
                raise status.invalid(res, name, [error])
        elif revision != old["resourceVersion"]:
            raise status.conflict(res, name)


def _propagate(metadata: Json, propagation: str | None) -> None:
    wanted = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}
    finalizers = [each for each in metadata.get("finalizers", []) if each not in wanted.values() or propagation is None]
    if propagation in wanted:
        finalizers.append(wanted[propagation])
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)


def _changed(new: Json, old: Json) -> bool:
    return any(
        new.get(field) != old.get(field) for field in new.keys() | old.keys() if field not in ("metadata", "status")
    )
