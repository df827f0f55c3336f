"""Namespaces: what every one of them has, and how one goes."""

from __future__ import annotations

import asyncio
from typing import Any

from conformance.lab.client import ApiClient, ApiError, key
from conformance.lab.controllers.cluster import (
    CONFIG_MAPS,
    CONFLICT,
    NAMESPACES,
    NOT_FOUND,
    PODS,
    SERVICE_ACCOUNTS,
    Cluster,
    Store,
)
from conformance.lab.controllers.endpoint_slices import namespace_terminating
from conformance.lab.controllers.workqueue import WorkQueue

Json = dict[str, Any]

ROOT_CA = "kube-root-ca.crt"
_GONE_BY_ITSELF = ("events",)  # deleted last and never waited for
_RECHECK_SECONDS = 1.0


class NamespaceController:
    """Empties a namespace that is being deleted and lets it go when nothing is left."""

    def __init__(self, cluster: Cluster) -> None:
        self.queue = WorkQueue("namespace", self.sync)
        self._client = cluster.client
        self._namespaces = cluster.store(NAMESPACES)
        self._namespaces.subscribe(self._on_namespace)
        cluster.store(PODS).subscribe(self._on_pod)
        self._collections: list[str] | None = None

    async def sync(self, name: str) -> None:
        """Take the next step of one namespace's deletion."""
        namespace = self._namespaces.get(name)
        if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return
        if self._collections is None:
            self._collections = await deletable(self._client)
        paths = [path.replace("{namespace}", name) for path in self._collections]
        if sum(await asyncio.gather(*(self._empty(path) for path in paths))):
            self.queue.add_after(name, _RECHECK_SECONDS)  # pods tell when they go; other finalizers do not
            return
        finalizers = [f for f in namespace["spec"].get("finalizers") or () if f != "kubernetes"]
        body = {**namespace, "spec": {**namespace["spec"], "finalizers": finalizers}}
        try:
            await self._client.update(f"{NAMESPACES.item(namespace)}/finalize", body)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise

    async def _empty(self, path: str) -> int:
        """Ask every object under ``path`` to go; how many are still there."""
        left = (await self._client.list(path)).get("items") or []
        staying = [item for item in left if not item["metadata"].get("deletionTimestamp")]
        if staying:
            await self._client.delete(path)
            left = (await self._client.list(path)).get("items") or []
        return 0 if path.endswith(_GONE_BY_ITSELF) else len(left)

    def _on_namespace(self, event: str, namespace: Json, _before: Json | None) -> None:
        if event != "DELETED" and namespace["metadata"].get("deletionTimestamp"):
            self.queue.add(namespace["metadata"]["name"])

    def _on_pod(self, event: str, pod: Json, _before: Json | None) -> None:
        namespace = self._namespaces.get(pod["metadata"]["namespace"])
        if event == "DELETED" and namespace is not None:
            self._on_namespace("MODIFIED", namespace, None)


async def deletable(client: ApiClient) -> list[str]:
    """The paths, with ``{namespace}`` in them, of every namespaced collection that can be emptied."""
    groups = (await client.get("/apis")).get("groups") or []
    prefixes = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
    found = []
    for prefix in prefixes:
        for resource in (await client.get(prefix)).get("resources") or ():
            verbs = resource.get("verbs") or ()
            if resource["namespaced"] and "/" not in resource["name"] and {"list", "deletecollection"} <= set(verbs):
                found.append(f"{prefix}/namespaces/{{namespace}}/{resource['name']}")
    return found


class NamespaceContentController:
    """Gives every namespace its ``default`` service account and the cluster's root certificate."""

    def __init__(self, cluster: Cluster, ca: str) -> None:
        self.queue = WorkQueue("namespace-content", self.sync)
        self._ca = ca
        self._namespaces = cluster.store(NAMESPACES)
        self._accounts = cluster.store(SERVICE_ACCOUNTS)
        self._maps = cluster.store(CONFIG_MAPS)
        self._namespaces.subscribe(lambda _event, namespace, _before: self.queue.add(namespace["metadata"]["name"]))
        for store, name in ((self._accounts, "default"), (self._maps, ROOT_CA)):
            self._restore(store, name)

    async def sync(self, name: str) -> None:
        """Bring one namespace's contents in order."""
        namespace = self._namespaces.get(name)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}}
        await _ensure(self._accounts, account)
        if self._ca:
            meta = {"name": ROOT_CA, "namespace": name}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"ca.crt": self._ca}}
            await _ensure(self._maps, body)

    def _restore(self, store: Store, name: str) -> None:
        def on_event(_event: str, obj: Json, _before: Json | None) -> None:
            if obj["metadata"]["name"] == name:
                self.queue.add(obj["metadata"]["namespace"])

        store.subscribe(on_event)


async def _ensure(store: Store, wanted: Json) -> None:
    existing = store.get(key(wanted))
    try:
        if existing is None:
            await store.create(wanted)
        elif "data" in wanted and existing.get("data") != wanted["data"]:
            await store.update({**existing, "data": wanted["data"]})
    except ApiError as error:
        if error.status != CONFLICT and not namespace_terminating(error):
            raise
