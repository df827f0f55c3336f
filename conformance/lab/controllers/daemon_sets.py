"""The DaemonSet controller: one pod on every node that may run it."""

from __future__ import annotations

import copy
from typing import Any

from conformance.lab import conditions
from conformance.lab.client import ApiError, key
from conformance.lab.controllers import placement
from conformance.lab.controllers import pods as podlib
from conformance.lab.controllers.cluster import DAEMON_SETS, NODES, NOT_FOUND, PODS, Cluster, owned, owner_of, together
from conformance.lab.controllers.endpoint_slices import namespace_terminating
from conformance.lab.controllers.templates import available_in, fingerprint, pod_from, share
from conformance.lab.controllers.workqueue import WorkQueue

Json = dict[str, Any]

HASH = "controller-revision-hash"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_NODE_NAME = "metadata.name"


def pod_for(daemon_set: Json, node: str) -> Json:
    """The pod of ``daemon_set`` for one node; the scheduler binds it there (pure)."""
    template = daemon_set["spec"]["template"]
    pod = pod_from(template, daemon_set, DAEMON_SETS)
    pod["metadata"].setdefault("labels", {})[HASH] = fingerprint(template)
    spec = pod["spec"]
    spec["tolerations"] = _tolerations(spec)
    affinity = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    field = {"key": _NODE_NAME, "operator": "In", "values": [node]}
    # Upstream too replaces the terms: whether the template's own ones hold was decided before.
    affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return pod


def node_of(pod: Json) -> str:
    """The node that a daemon's pod is on, or meant for."""
    if name := pod["spec"].get("nodeName"):
        return str(name)
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or {"nodeSelectorTerms": []}
    for term in affinity["nodeSelectorTerms"]:
        for field in term.get("matchFields") or ():
            if field["key"] == _NODE_NAME and len(field.get("values") or ()) == 1:
                return str(field["values"][0])
    return ""


def outdated(daemon_set: Json, by_node: dict[str, Json], wanted: int) -> list[Json]:
    """The pods of older templates that a rolling update may take down now (pure)."""
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    mark = fingerprint(daemon_set["spec"]["template"])
    limit = max(1, share((strategy.get("rollingUpdate") or {}).get("maxUnavailable"), 1, wanted, round_up=True))
    down = wanted - sum(1 for pod in by_node.values() if _available(pod, daemon_set))
    old = [p for p in by_node.values() if (p["metadata"].get("labels") or {}).get(HASH) != mark]
    lame = [p for p in old if not _available(p, daemon_set)]
    sound = [p for p in old if _available(p, daemon_set)]
    return [*lame, *sound[: max(0, limit - down)]]


class DaemonSetController:
    """Creates and deletes the pods of each DaemonSet, and counts them."""

    def __init__(self, cluster: Cluster) -> None:
        self.queue = WorkQueue("daemonset", self.sync)
        self._sets = cluster.store(DAEMON_SETS)
        self._pods = cluster.store(PODS)
        self._nodes = cluster.store(NODES)
        self._sets.subscribe(lambda _event, daemon_set, _before: self.queue.add(key(daemon_set)))
        self._pods.subscribe(self._on_pod)
        self._nodes.subscribe(lambda _event, _node, _before: self._all())

    async def sync(self, set_key: str) -> None:
        """Bring one DaemonSet in order."""
        daemon_set = self._sets.get(set_key)
        if daemon_set is None:
            return
        try:
            if not daemon_set["metadata"].get("deletionTimestamp"):
                await self._place(daemon_set)
            await self._count(set_key)
        except ApiError as error:
            if not namespace_terminating(error):
                raise

    async def _place(self, daemon_set: Json) -> None:
        wanted, by_node, surplus = self._wanted(daemon_set), dict[str, Json](), list[Json]()
        spec, leaving = _spec(daemon_set), set[str]()
        staying = {n["metadata"]["name"] for n in self._nodes.all() if placement.may_stay(spec, n)}
        for pod in sorted(self._pods_of(daemon_set), key=lambda p: p["metadata"].get("creationTimestamp", "")):
            node = node_of(pod)
            if podlib.terminating(pod):
                leaving.add(node)
            elif podlib.terminal(pod) or node in by_node or node not in staying:
                surplus.append(pod)
            else:
                by_node[node] = pod
        surplus += outdated(daemon_set, by_node, len(wanted))
        await together(
            *(self._pods.delete(pod) for pod in surplus),
            # A node's next pod waits until the one before has gone: both may want the same host port.
            *(self._pods.create(pod_for(daemon_set, node)) for node in wanted if node not in {*by_node, *leaving}),
        )

    async def _count(self, set_key: str) -> None:
        daemon_set = self._sets.get(set_key)
        if daemon_set is None:
            return
        wanted, mark = self._wanted(daemon_set), fingerprint(daemon_set["spec"]["template"])
        running = [p for p in self._pods_of(daemon_set) if not podlib.terminal(p) and p["spec"].get("nodeName")]
        placed = {node_of(p): p for p in running if node_of(p) in wanted}
        available = sum(1 for pod in placed.values() if _available(pod, daemon_set))
        status = {
            "currentNumberScheduled": len(placed),
            "desiredNumberScheduled": len(wanted),
            "numberMisscheduled": len({node_of(p) for p in running} - set(wanted)),
            "numberReady": sum(map(conditions.ready, placed.values())),
            "numberAvailable": available,
            "numberUnavailable": len(wanted) - available,
            "updatedNumberScheduled": sum(
                1 for p in placed.values() if (p["metadata"].get("labels") or {}).get(HASH) == mark
            ),
            "observedGeneration": daemon_set["metadata"].get("generation", 0),
        }
        seconds = daemon_set["spec"].get("minReadySeconds", 0)
        if later := [wait for wait in (available_in(p, seconds) for p in placed.values()) if wait]:
            self.queue.add_after(set_key, min(later))
        before = daemon_set.get("status") or {}
        if any((before.get(field) or 0) != value for field, value in status.items()):
            try:
                await self._sets.update({**daemon_set, "status": status}, "status")
            except ApiError as error:
                if error.status != NOT_FOUND:
                    raise

    def _wanted(self, daemon_set: Json) -> list[str]:
        spec = _spec(daemon_set)
        return [n["metadata"]["name"] for n in self._nodes.all() if not placement.obstacle(spec, n)]

    def _pods_of(self, daemon_set: Json) -> list[Json]:
        return owned(self._pods.within(daemon_set["metadata"]["namespace"]), daemon_set)

    def _on_pod(self, _event: str, pod: Json, _before: Json | None) -> None:
        if owner := owner_of(pod, "DaemonSet"):
            self.queue.add(f"{pod['metadata']['namespace']}/{owner['name']}")

    def _all(self) -> None:
        for daemon_set in self._sets.all():
            self.queue.add(key(daemon_set))


def _spec(daemon_set: Json) -> Json:
    """The template's pod spec with the tolerations that every daemon's pod has."""
    spec: Json = copy.copy(daemon_set["spec"]["template"]["spec"])
    spec["tolerations"] = _tolerations(spec)
    return spec


def _tolerations(spec: Json) -> list[Json]:
    added = [{"key": k, "operator": "Exists", "effect": effect} for k, effect in _TOLERATED]
    if spec.get("hostNetwork"):
        added.append({"key": "node.kubernetes.io/network-unavailable", "operator": "Exists", "effect": "NoSchedule"})
    return [*(spec.get("tolerations") or ()), *added]


def _available(pod: Json, daemon_set: Json) -> bool:
    return available_in(pod, daemon_set["spec"].get("minReadySeconds", 0)) == 0
