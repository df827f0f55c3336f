"""The controllers' view of the cluster: a store per resource that is kept by a watch and written through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from conformance.lab.client import ApiClient, ApiError, Informer

Json = dict[str, Any]
Handler = Callable[[str, Json, Json | None], None]

NOT_FOUND, CONFLICT = 404, 409


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object and where it lives."""

    prefix: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As ``apiVersion`` spells it."""
        return self.prefix.removeprefix("/apis/").removeprefix("/api/")

    def collection(self, namespace: str = "") -> str:
        """The path of all objects, or of those of one namespace."""
        return f"{self.prefix}/namespaces/{namespace}/{self.plural}" if namespace else f"{self.prefix}/{self.plural}"

    def item(self, obj: Json) -> str:
        """The path of ``obj``."""
        return f"{self.collection(obj['metadata'].get('namespace', ''))}/{obj['metadata']['name']}"


NAMESPACES = Resource("/api/v1", "namespaces", "Namespace", namespaced=False)
NODES = Resource("/api/v1", "nodes", "Node", namespaced=False)
PODS = Resource("/api/v1", "pods", "Pod")
SERVICES = Resource("/api/v1", "services", "Service")
ENDPOINTS = Resource("/api/v1", "endpoints", "Endpoints")
CONFIG_MAPS = Resource("/api/v1", "configmaps", "ConfigMap")
SERVICE_ACCOUNTS = Resource("/api/v1", "serviceaccounts", "ServiceAccount")
ENDPOINT_SLICES = Resource("/apis/discovery.k8s.io/v1", "endpointslices", "EndpointSlice")
DEPLOYMENTS = Resource("/apis/apps/v1", "deployments", "Deployment")
REPLICA_SETS = Resource("/apis/apps/v1", "replicasets", "ReplicaSet")
DAEMON_SETS = Resource("/apis/apps/v1", "daemonsets", "DaemonSet")
LEASES = Resource("/apis/coordination.k8s.io/v1", "leases", "Lease")


class Store:
    """All objects of one resource, by namespace; what is written here is seen here at once."""

    def __init__(self, client: ApiClient, resource: Resource) -> None:
        self.resource = resource
        self._client = client
        self._handlers: list[Handler] = []
        self._by_namespace: dict[str, dict[str, Json]] = {}
        self.informer = Informer(client, resource.collection(), on_event=self._on_event)

    def subscribe(self, handler: Handler) -> None:
        """Call ``handler(event, object, the one before)`` for every change from now on."""
        self._handlers.append(handler)

    def get(self, namespace_name: str) -> Json | None:
        """The object of that key, or None. Never change it: copy first."""
        return self.informer.items.get(namespace_name)

    def all(self) -> Iterable[Json]:
        """Every object."""
        return self.informer.items.values()

    def within(self, namespace: str) -> Iterable[Json]:
        """Every object of one namespace."""
        return self._by_namespace.get(namespace, {}).values()

    async def create(self, obj: Json) -> Json:
        """POST; the object as stored."""
        stored = await self._client.create(self.resource.collection(obj["metadata"].get("namespace", "")), obj)
        self.informer.note(stored)
        return stored

    async def update(self, obj: Json, subresource: str = "") -> Json:
        """PUT, guarded by the object's resource version; ``subresource`` may be ``status``."""
        path = self.resource.item(obj) + (f"/{subresource}" if subresource else "")
        stored = await self._client.update(path, obj)
        self.informer.note(stored)
        return stored

    async def delete(self, obj: Json, body: Json | None = None) -> None:
        """DELETE exactly this object (by uid); quiet when it is gone already."""
        options = {"preconditions": {"uid": obj["metadata"]["uid"]}, **(body or {})}
        try:
            answer = await self._client.delete(self.resource.item(obj), body=options)
        except ApiError as error:
            if error.status not in (NOT_FOUND, CONFLICT):
                raise
            return
        # A pod with a grace period and anything with finalizers stay for a while, marked; the rest is gone.
        if answer.get("kind") == self.resource.kind and answer.get("metadata", {}).get("deletionTimestamp"):
            self.informer.note(answer)
        elif answer.get("kind") == "Status":
            self.informer.note(obj, deleted=True)

    def _on_event(self, event: str, item: Json) -> None:
        meta = item["metadata"]
        objects = self._by_namespace.setdefault(meta.get("namespace", ""), {})
        before = objects.get(meta["name"])
        if event == "DELETED":
            objects.pop(meta["name"], None)
        else:
            objects[meta["name"]] = item
        for handler in self._handlers:
            handler(event, item, before)


class Cluster:
    """Stores of everything that some controller watches."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self._stores: dict[Resource, Store] = {}

    def store(self, resource: Resource) -> Store:
        """The one store of ``resource``; ask for it before ``run``."""
        if resource not in self._stores:
            self._stores[resource] = Store(self.client, resource)
        return self._stores[resource]

    @property
    def stores(self) -> Iterable[Store]:
        """All stores asked for so far."""
        return self._stores.values()

    async def run(self) -> None:
        """Keep all stores current until cancelled."""
        async with asyncio.TaskGroup() as group:
            for store in self._stores.values():
                group.create_task(store.informer.run())

    async def synced(self) -> None:
        """Wait until every store has been listed once."""
        for store in self._stores.values():
            await store.informer.synced.wait()


async def together(*writes: Coroutine[Any, Any, object]) -> None:
    """Await every write, then raise the first ``ApiError`` among them: none is left behind to surprise a retry."""
    results = await asyncio.gather(*writes, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def owner_of(obj: Json, kind: str) -> Json | None:
    """The owner reference to the controlling ``kind``, or None."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller") and reference["kind"] == kind:
            found: Json = reference
            return found
    return None


def owned(objects: Iterable[Json], owner: Json) -> list[Json]:
    """Those ``objects`` that ``owner`` controls."""
    uid = owner["metadata"]["uid"]
    return [
        obj
        for obj in objects
        if any(r.get("controller") and r["uid"] == uid for r in obj["metadata"].get("ownerReferences") or ())
    ]


def reference_to(owner: Json, resource: Resource) -> Json:
    """An owner reference for an object that ``owner`` controls."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
