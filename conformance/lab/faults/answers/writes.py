"""Writes and lists of Services, done wrongly from end to end."""

from __future__ import annotations

from conformance.lab.api import registry, selectors
from conformance.lab.api.call import Call
from conformance.lab.api.config import Config
from conformance.lab.api.jsons import copied
from conformance.lab.api.objects import Objects
from conformance.lab.api.registry import Deleted, DeleteOptions
from conformance.lab.api.resources import Resource
from conformance.lab.api.store import Store, Stored
from conformance.lab.api.strategies.every import strategies
from conformance.lab.faults.answers.registry import puts_in
from conformance.lab.faults.answers.services import SERVICES, FaultyServices, Json
from conformance.lab.faults.answers.switches import Switches
from conformance.spec.faults import Fault


class FaultyRegistry(registry.Registry):
    """The objects; Services suffer what is on, and are put in order when something is switched."""

    def __init__(self, store: Store, config: Config, switches: Switches) -> None:
        self._services = FaultyServices(store, config, switches)
        super().__init__(store, {**strategies(store, config), SERVICES.key: self._services})
        self._switches = switches
        self._as_of = switches.changes
        self._told_to_go: set[str] = set()

    def get(self, res: Resource, namespace: str, name: str) -> Stored:
        """The object, or 404."""
        self._settle()
        return super().get(res, namespace, name)

    @puts_in(Fault.API_DRY_RUN_STORED, Fault.API_OVERWRITES)
    def create(self, res: Resource, namespace: str, obj: Json, *, dry_run: bool = False) -> Stored:
        """Store a new object: for real where it was to be tried only, or in the place of one that has its name."""
        self._settle()
        if res.key == SERVICES.key:
            named: Json = {"metadata": {"namespace": namespace, **obj.get("metadata", {})}}
            dry_run = dry_run and not self._switches.hits(Fault.API_DRY_RUN_STORED, named)
            if not dry_run and self._switches.hits(Fault.API_OVERWRITES, named):
                self._services.displace(named)
        return super().create(res, namespace, obj, dry_run=dry_run)

    def update(self, res: Resource, old: Stored, obj: Json, *, part: str = "", dry_run: bool = False) -> Stored:
        """Put ``obj`` in the place of ``old``, whichever version it was made of."""
        self._settle()
        if res.key == SERVICES.key:
            if self._switches.hits(Fault.API_OVERWRITES, old.obj):
                obj["metadata"].pop("resourceVersion", None)
            dry_run = dry_run and not self._switches.hits(Fault.API_DRY_RUN_STORED, old.obj)
        return super().update(res, old, obj, part=part, dry_run=dry_run)

    @puts_in(Fault.API_DELETE_LOST, Fault.API_FINALIZER_IGNORED)
    def delete(self, res: Resource, namespace: str, name: str, options: DeleteOptions) -> Deleted:
        """Remove an object: only when asked twice, or without waiting for its finalizers."""
        self._settle()
        if res.key != SERVICES.key or options.dry_run:
            return super().delete(res, namespace, name, options)
        old = self.get(res, namespace, name)
        uid = old.obj["metadata"]["uid"]
        if self._switches.hits(Fault.API_DELETE_LOST, old.obj) and uid not in self._told_to_go:
            self._told_to_go.add(uid)
            return Deleted(old, gone=False)
        if old.obj["metadata"].get("finalizers") and self._switches.hits(Fault.API_FINALIZER_IGNORED, old.obj):
            bare = copied(old.obj)
            del bare["metadata"]["finalizers"]
            self.store.write(res, bare)
        return super().delete(res, namespace, name, options)

    def _settle(self) -> None:
        """Undo what a fault that is off by now has left behind."""
        changes = self._switches.look()
        if changes != self._as_of:
            self._as_of = changes
            self._told_to_go.clear()
            self._services.repair()


class FaultyObjects(Objects):
    """The verbs on objects."""

    def __init__(self, registry_: registry.Registry, switches: Switches) -> None:
        super().__init__(registry_)
        self._switches = switches

    @puts_in(Fault.API_SELECTOR_IGNORED)
    def select(self, call: Call) -> list[Stored]:
        """Of all that a list of Services asks for only the first label counts."""
        target = call.target
        if (target.resource.key, target.verb) != (SERVICES.key, "list"):
            return super().select(call)
        matches = selectors.labels(call.query.get("labelSelector", "").partition(",")[0])
        rightly = super().select(call)
        right = {each.obj["metadata"]["uid"] for each in rightly}
        return rightly + [
            each
            for each in self._store.collection(target.resource).select(target.namespace)
            if each.obj["metadata"]["uid"] not in right
            and (matches is None or matches(each.obj["metadata"].get("labels", {})))
            and self._switches.hits(Fault.API_SELECTOR_IGNORED, each.obj)
        ]


def parts(store: Store, config: Config) -> tuple[registry.Registry, Objects]:
    """What an API server with a switchboard is made of."""
    switches = Switches(config.faults)
    faulty = FaultyRegistry(store, config, switches)
    return faulty, FaultyObjects(faulty, switches)
