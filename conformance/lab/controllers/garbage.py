"""The garbage collector: dependents follow their owners, or are set free."""

from __future__ import annotations

from typing import Any

from conformance.lab.client import ApiError, key
from conformance.lab.controllers.cluster import NOT_FOUND, Cluster, Resource, Store, together
from conformance.lab.controllers.workqueue import WorkQueue

Json = dict[str, Any]

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"


class GarbageCollector:
    """Background, foreground and orphaning deletion among the resources that are watched at its making."""

    def __init__(self, cluster: Cluster) -> None:
        self.queue = WorkQueue("garbage", self.sync)
        self._client = cluster.client
        self._stores = {store.resource.plural: store for store in cluster.stores}
        self._by_kind = {(s.resource.api_version, s.resource.kind): s for s in cluster.stores}
        self._dependents: dict[str, set[str]] = {}  # owner's uid -> queue keys of what names it as owner
        self._waiting: dict[str, str] = {}  # owners in foreground deletion, by uid
        for plural, store in self._stores.items():
            self._follow(plural, store)

    async def sync(self, queue_key: str) -> None:
        """Look at one object: as a dependent, and as an owner on its way out."""
        plural, _, obj_key = queue_key.partition("|")
        store = self._stores[plural]
        obj = store.get(obj_key)
        if obj is None:
            return
        if obj["metadata"].get("deletionTimestamp"):
            await self._release(store, obj)
        elif owners := obj["metadata"].get("ownerReferences"):
            states = [await self._owner(reference, obj["metadata"].get("namespace", "")) for reference in owners]
            if all(state is None or FOREGROUND in (state["metadata"].get("finalizers") or ()) for state in states):
                await store.delete(obj, {"propagationPolicy": "Background"})

    async def _release(self, store: Store, owner: Json) -> None:
        finalizers = owner["metadata"].get("finalizers") or []
        dependents = self._dependents_of(owner["metadata"]["uid"])
        if ORPHAN in finalizers:
            await together(*(self._disown(s, obj, owner) for s, obj in dependents))
            await self._unfinalize(store, owner, ORPHAN)
        elif FOREGROUND in finalizers:
            blocking = [(s, obj) for s, obj in dependents if _blocks(obj, owner)]
            if blocking:
                await together(*(s.delete(o) for s, o in blocking if not o["metadata"].get("deletionTimestamp")))
            else:
                await self._unfinalize(store, owner, FOREGROUND)

    async def _owner(self, reference: Json, namespace: str) -> Json | None:
        """The owner, or None when it does not exist (any more): asked of the server, as watches arrive in any order."""
        store = self._by_kind.get((reference["apiVersion"], reference["kind"]))
        if store is None:
            return {"metadata": {}}  # a kind that we do not watch: never take its dependents for orphans
        place: Resource = store.resource
        meta = {"name": reference["name"], "namespace": namespace if place.namespaced else ""}
        known = store.get(key({"metadata": meta}))
        if known is not None and known["metadata"]["uid"] == reference["uid"]:
            return known
        try:
            found = await self._client.get(place.item({"metadata": meta}))
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return found if found["metadata"]["uid"] == reference["uid"] else None

    async def _disown(self, store: Store, obj: Json, owner: Json) -> None:
        meta = obj["metadata"]
        kept = [r for r in meta["ownerReferences"] if r["uid"] != owner["metadata"]["uid"]]
        body = {"metadata": {"uid": meta["uid"], "ownerReferences": kept, "resourceVersion": meta["resourceVersion"]}}
        await self._patch(store, obj, body)

    async def _unfinalize(self, store: Store, owner: Json, finalizer: str) -> None:
        meta = owner["metadata"]
        kept = [f for f in meta["finalizers"] if f != finalizer]
        await self._patch(store, owner, {"metadata": {"finalizers": kept, "resourceVersion": meta["resourceVersion"]}})

    async def _patch(self, store: Store, obj: Json, body: Json) -> None:
        try:
            answer = await self._client.patch(store.resource.item(obj), body)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return
            raise  # 409: it changed meanwhile, look again
        if answer["metadata"].get("finalizers") or not answer["metadata"].get("deletionTimestamp"):
            store.informer.note(answer)

    def _dependents_of(self, uid: str) -> list[tuple[Store, Json]]:
        found = []
        for queue_key in self._dependents.get(uid, ()):
            plural, _, obj_key = queue_key.partition("|")
            if (obj := self._stores[plural].get(obj_key)) is not None:
                found.append((self._stores[plural], obj))
        return found

    def _follow(self, plural: str, store: Store) -> None:
        def on_event(event: str, obj: Json, before: Json | None) -> None:
            queue_key = f"{plural}|{key(obj)}"
            for uid in _owners(before):
                self._dependents.get(uid, set()).discard(queue_key)
            if event == "DELETED":
                self._waiting.pop(obj["metadata"]["uid"], None)
                for dependent in self._dependents.pop(obj["metadata"]["uid"], set()):
                    self.queue.add(dependent)
            else:
                self._remember(queue_key, obj)
                if before is None or obj["metadata"].get("finalizers"):
                    self.queue.add(queue_key)
            for uid in {*_owners(before), *_owners(obj)} & self._waiting.keys():
                self.queue.add(self._waiting[uid])

        store.subscribe(on_event)

    def _remember(self, queue_key: str, obj: Json) -> None:
        for uid in _owners(obj):
            self._dependents.setdefault(uid, set()).add(queue_key)
        meta = obj["metadata"]
        if meta.get("deletionTimestamp") and FOREGROUND in (meta.get("finalizers") or ()):
            self._waiting[meta["uid"]] = queue_key


def _owners(obj: Json | None) -> list[str]:
    return [r["uid"] for r in (obj or {"metadata": {}})["metadata"].get("ownerReferences") or ()]


def _blocks(obj: Json, owner: Json) -> bool:
    references = obj["metadata"].get("ownerReferences") or ()
    return any(r["uid"] == owner["metadata"]["uid"] and r.get("blockOwnerDeletion") for r in references)
