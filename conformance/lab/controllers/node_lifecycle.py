"""Node lifecycle: a node that is not heard of any more is not ready, and neither are its pods."""

from __future__ import annotations

import time
from typing import Any

from conformance.lab.client import ApiError
from conformance.lab.conditions import condition, ready
from conformance.lab.controllers.cluster import LEASES, NODES, NOT_FOUND, PODS, Cluster, together
from conformance.lab.controllers.workqueue import WorkQueue
from conformance.lab.timestamps import now

Json = dict[str, Any]

LEASE_NAMESPACE = "kube-node-lease"
GRACE_SECONDS = 40.0
_MESSAGE = "Kubelet stopped posting node status."


class NodeLifecycleController:
    """Marks nodes whose lease and heartbeat stand still, by this process's own clock, for ``GRACE_SECONDS``."""

    def __init__(self, cluster: Cluster, grace: float = GRACE_SECONDS) -> None:
        self.queue = WorkQueue("nodelifecycle", self.sync)
        self._grace = grace
        self._client = cluster.client
        self._nodes = cluster.store(NODES)
        self._pods = cluster.store(PODS)
        self._heard: dict[str, tuple[tuple[str, ...], float]] = {}
        self._leases = cluster.store(LEASES)
        self._nodes.subscribe(lambda _event, node, _before: self.queue.add(node["metadata"]["name"]))
        self._leases.subscribe(self._on_lease)

    async def sync(self, name: str) -> None:
        """Look at one node."""
        node = self._nodes.get(name)
        if node is None:
            self._heard.pop(name, None)
            return
        signs, clock = self._signs(node), time.monotonic()
        before, since = self._heard.get(name, ((), clock))
        if signs != before:
            self._heard[name], since = (signs, clock), clock
        left = self._grace - (clock - since)
        if left > 0:
            self.queue.add_after(name, left)
            return
        if condition(node, "Ready").get("status") != "Unknown":
            lost = {"status": "Unknown", "reason": "NodeStatusUnknown", "message": _MESSAGE}
            answer = await self._client.patch(f"{NODES.item(node)}/status", _ready(lost), "strategic")
            self._nodes.informer.note(answer)
        mine = [p for p in self._pods.all() if p["spec"].get("nodeName") == name and ready(p)]
        await together(*(self._unready(pod) for pod in mine))
        self.queue.add_after(name, self._grace)

    async def _unready(self, pod: Json) -> None:
        try:
            answer = await self._client.patch(
                f"{PODS.item(pod)}/status", _ready({"status": "False", "reason": "NodeNotReady"}), "strategic"
            )
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
        else:
            self._pods.informer.note(answer)

    def _signs(self, node: Json) -> tuple[str, ...]:
        lease = self._leases.get(f"{LEASE_NAMESPACE}/{node['metadata']['name']}") or {}
        # Our own mark on the condition is no sign of life: it leaves lastHeartbeatTime alone.
        heartbeat = condition(node, "Ready").get("lastHeartbeatTime") or ""
        return str((lease.get("spec") or {}).get("renewTime") or ""), str(heartbeat)

    def _on_lease(self, _event: str, lease: Json, _before: Json | None) -> None:
        if lease["metadata"].get("namespace") == LEASE_NAMESPACE:
            self.queue.add(lease["metadata"]["name"])


def _ready(state: Json) -> Json:
    return {"status": {"conditions": [{"type": "Ready", "lastTransitionTime": now(), **state}]}}
