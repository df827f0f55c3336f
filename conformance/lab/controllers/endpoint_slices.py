"""The EndpointSlice controller: slices for every Service that has a selector."""

from __future__ import annotations

from typing import Any

from conformance.lab.client import ApiError, key
from conformance.lab.controllers import selectors
from conformance.lab.controllers.cluster import (
    CONFLICT,
    ENDPOINT_SLICES,
    NODES,
    PODS,
    SERVICES,
    Cluster,
    Store,
    together,
)
from conformance.lab.controllers.packing import MANAGED_BY, SERVICE_NAME, Changes
from conformance.lab.controllers.slices import CONTROLLER, ZONE, reconcile
from conformance.lab.controllers.trigger_times import TriggerTimes
from conformance.lab.controllers.workqueue import WorkQueue

Json = dict[str, Any]


class SelectingServices:
    """Tells a queue the Services whose pods changed; both endpoint controllers need it."""

    def __init__(self, services: Store, queue: WorkQueue) -> None:
        self._services = services
        self._queue = queue

    def on_service(self, _event: str, service: Json, _before: Json | None) -> None:
        """A Service changed."""
        self._queue.add(key(service))

    def on_pod(self, _event: str, pod: Json, before: Json | None) -> None:
        """A pod changed: the Services that select it, and those that did before."""
        labels = pod["metadata"].get("labels")
        old = before["metadata"].get("labels") if before else None
        for service in self._services.within(pod["metadata"]["namespace"]):
            selector = service["spec"].get("selector")
            if selectors.matches_map(selector, labels) or selectors.matches_map(selector, old):
                self._queue.add(key(service))


def selects(service: Json) -> bool:
    """Whether a controller, and not its author, keeps the endpoints of ``service``."""
    spec = service["spec"]
    going = service["metadata"].get("deletionTimestamp")
    return bool(spec.get("selector")) and spec.get("type") != "ExternalName" and not going


def selected(service: Json, pods: Store) -> list[Json]:
    """The pods that ``service`` selects."""
    selector, candidates = service["spec"].get("selector"), pods.within(service["metadata"]["namespace"])
    return [pod for pod in candidates if selectors.matches_map(selector, pod["metadata"].get("labels"))]


class EndpointSliceController:
    """Keeps the slices of each Service with a selector as ``slices.reconcile`` wants them."""

    def __init__(self, cluster: Cluster) -> None:
        self.queue = WorkQueue("endpointslice", self.sync, workers=8)
        self._services = cluster.store(SERVICES)
        self._pods = cluster.store(PODS)
        self._nodes = cluster.store(NODES)
        self._slices = cluster.store(ENDPOINT_SLICES)
        self._times = TriggerTimes()
        changed = SelectingServices(self._services, self.queue)
        self._services.subscribe(changed.on_service)
        self._pods.subscribe(changed.on_pod)
        self._nodes.subscribe(self._on_node)
        self._slices.subscribe(self._on_slice)

    async def sync(self, service_key: str) -> None:
        """Bring the slices of one Service in order."""
        service = self._services.get(service_key)
        namespace, name = service_key.split("/")
        existing = [piece for piece in self._slices.within(namespace) if _is_slice_of(piece, name)]
        if service is None:
            self._times.forget(service_key)
            # The garbage collector would find them too; a new Service of the same name need not wait for it.
            await together(*(self._slices.delete(piece) for piece in existing))
            return
        if not selects(service):
            return
        pods = selected(service, self._pods)
        changes = reconcile(
            service, pods, self._nodes.informer.items, existing, self._times.next(service_key, service, pods)
        )
        await apply(self._slices, changes)

    def _on_node(self, event: str, node: Json, before: Json | None) -> None:
        """A node came, went, or moved to another zone: the Services with pods there."""
        if event == "MODIFIED" and before is not None and _zone(node) == _zone(before):
            return
        for pod in self._pods.all():
            if pod["spec"].get("nodeName") == node["metadata"]["name"]:
                SelectingServices(self._services, self.queue).on_pod("MODIFIED", pod, None)

    def _on_slice(self, _event: str, piece: Json, _before: Json | None) -> None:
        meta = piece["metadata"]
        if (meta.get("labels") or {}).get(MANAGED_BY) == CONTROLLER and meta["labels"].get(SERVICE_NAME):
            self.queue.add(f"{meta['namespace']}/{meta['labels'][SERVICE_NAME]}")


async def apply(slices: Store, changes: Changes) -> None:
    """Write ``changes``; nothing is created any more where the namespace is going away."""
    try:
        await together(
            *(slices.create(piece) for piece in changes.create),
            *(slices.update(piece) for piece in changes.update),
            *(slices.delete(piece) for piece in changes.delete),
        )
    except ApiError as error:
        if not namespace_terminating(error):
            raise


def namespace_terminating(error: ApiError) -> bool:
    """Whether a creation failed because its namespace is going or gone: nothing to try again."""
    causes = (error.body.get("details") or {}).get("causes") or ()
    going = error.status != CONFLICT and any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
    return going or (error.status == 404 and (error.body.get("details") or {}).get("kind") == "namespaces")


def _is_slice_of(piece: Json, service: str) -> bool:
    labels = piece["metadata"].get("labels") or {}
    return labels.get(SERVICE_NAME) == service and labels.get(MANAGED_BY) == CONTROLLER


def _zone(node: Json) -> str | None:
    return (node["metadata"].get("labels") or {}).get(ZONE)
