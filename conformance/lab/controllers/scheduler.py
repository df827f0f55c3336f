"""The scheduler: binds each pending pod to a node that may run it, the one with the fewest of its kind first."""

from __future__ import annotations

from typing import Any

from conformance.lab.client import ApiError, key
from conformance.lab.conditions import condition
from conformance.lab.controllers import placement
from conformance.lab.controllers import pods as podlib
from conformance.lab.controllers.cluster import CONFLICT, NODES, NOT_FOUND, PODS, Cluster
from conformance.lab.controllers.workqueue import WorkQueue
from conformance.lab.timestamps import now

Json = dict[str, Any]

NAME = "default-scheduler"


def choose(pod: Json, nodes: list[Json], running: list[tuple[str, Json]]) -> tuple[str, str]:
    """The node for ``pod``, or empty and why not (pure). ``running``: every placed pod with its node's name."""
    reasons, candidates = [], []
    owner, ports = _controller(pod), placement.host_ports(pod["spec"])
    for node in nodes:
        name = node["metadata"]["name"]
        here = [other for where, other in running if where == name]
        reason = placement.obstacle(pod["spec"], node)
        if not reason and any(placement.collide(ports, placement.host_ports(other["spec"])) for other in here):
            reason = "node(s) didn't have free ports for the requested pod ports"
        if reason:
            reasons.append(reason)
        else:
            siblings = sum(1 for other in here if owner and _controller(other) == owner)
            candidates.append((siblings, len(here), name))
    return (min(candidates)[2], "") if candidates else ("", placement.refusal(reasons, len(nodes)))


class Scheduler:
    """Binds pods that name no node and no scheduler of their own."""

    def __init__(self, cluster: Cluster) -> None:
        # One worker: each choice must see the one before.
        self.queue = WorkQueue("scheduler", self.sync, workers=1)
        self._client = cluster.client
        self._pods = cluster.store(PODS)
        self._nodes = cluster.store(NODES)
        self._bound: dict[str, str] = {}  # by uid: bound by us, not yet seen so in the store
        self._pods.subscribe(self._on_pod)
        self._nodes.subscribe(lambda _event, _node, _before: self._retry_pending())

    async def sync(self, pod_key: str) -> None:
        """Place one pod."""
        pod = self._pods.get(pod_key)
        if pod is None or not _pending(pod) or pod["metadata"]["uid"] in self._bound:
            return
        node, why_not = choose(pod, list(self._nodes.all()), self._running())
        meta = pod["metadata"]
        if not node:
            await self._refuse(pod, why_not)
            return
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        self._bound[meta["uid"]] = node
        try:
            await self._client.create(f"{PODS.item(pod)}/binding", binding)
        except ApiError as error:
            self._bound.pop(meta["uid"], None)
            if error.status not in (NOT_FOUND, CONFLICT):
                raise

    async def _refuse(self, pod: Json, message: str) -> None:
        old = condition(pod, "PodScheduled")
        if old.get("message") == message and old.get("status") == "False":
            return
        refused = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastTransitionTime": old.get("lastTransitionTime") if old.get("status") == "False" else now(),
        }
        try:
            path = f"{PODS.item(pod)}/status"
            self._pods.informer.note(await self._client.patch(path, {"status": {"conditions": [refused]}}, "strategic"))
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise

    def _running(self) -> list[tuple[str, Json]]:
        placed = []
        for pod in self._pods.all():
            node = pod["spec"].get("nodeName") or self._bound.get(pod["metadata"]["uid"])
            if node and not podlib.terminal(pod):
                placed.append((node, pod))
        return placed

    def _on_pod(self, event: str, pod: Json, _before: Json | None) -> None:
        if event == "DELETED" or pod["spec"].get("nodeName"):
            self._bound.pop(pod["metadata"]["uid"], None)
        if event == "DELETED":
            self._retry_pending()  # it may have held a port
        elif _pending(pod):
            self.queue.add(key(pod))

    def _retry_pending(self) -> None:
        for pod in self._pods.all():
            if _pending(pod):
                self.queue.add(key(pod))


def _pending(pod: Json) -> bool:
    spec = pod["spec"]
    mine = spec.get("schedulerName", NAME) == NAME and not spec.get("schedulingGates")
    return mine and not spec.get("nodeName") and not podlib.terminal(pod) and not podlib.terminating(pod)


def _controller(pod: Json) -> str:
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((str(o["uid"]) for o in owners if o.get("controller")), "")
