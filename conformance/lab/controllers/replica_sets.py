"""The ReplicaSet controller: as many pods as asked for."""

from __future__ import annotations

from typing import Any

from conformance.lab import conditions
from conformance.lab.client import ApiError, key
from conformance.lab.controllers.cluster import NOT_FOUND, PODS, REPLICA_SETS, Cluster, owned, owner_of, together
from conformance.lab.controllers.endpoint_slices import namespace_terminating
from conformance.lab.controllers.templates import active, available_in, pod_from
from conformance.lab.controllers.workqueue import WorkQueue

Json = dict[str, Any]


class ReplicaSetController:
    """Creates and deletes the pods of each ReplicaSet, and counts them."""

    def __init__(self, cluster: Cluster) -> None:
        self.queue = WorkQueue("replicaset", self.sync)
        self._sets = cluster.store(REPLICA_SETS)
        self._pods = cluster.store(PODS)
        self._sets.subscribe(lambda _event, replica_set, _before: self.queue.add(key(replica_set)))
        self._pods.subscribe(self._on_pod)

    async def sync(self, set_key: str) -> None:
        """Bring one ReplicaSet in order."""
        replica_set = self._sets.get(set_key)
        if replica_set is None:
            return
        mine = [p for p in owned(self._pods.within(replica_set["metadata"]["namespace"]), replica_set) if active(p)]
        missing = replica_set["spec"].get("replicas", 1) - len(mine)
        try:
            if replica_set["metadata"].get("deletionTimestamp"):
                pass
            elif missing > 0:
                new = pod_from(replica_set["spec"]["template"], replica_set, REPLICA_SETS)
                await together(*(self._pods.create(new) for _ in range(missing)))
            elif missing < 0:
                await together(*(self._pods.delete(pod) for pod in sorted(mine, key=_worth)[:-missing]))
            await self._count(set_key)
        except ApiError as error:
            if not namespace_terminating(error):
                raise

    async def _count(self, set_key: str) -> None:
        replica_set = self._sets.get(set_key)
        if replica_set is None:
            return
        spec, meta = replica_set["spec"], replica_set["metadata"]
        mine = [p for p in owned(self._pods.within(meta["namespace"]), replica_set) if active(p)]
        waits = [available_in(pod, spec.get("minReadySeconds", 0)) for pod in mine]
        labels = ((spec["template"].get("metadata") or {}).get("labels") or {}).items()
        labelled = [pod for pod in mine if labels <= (pod["metadata"].get("labels") or {}).items()]
        status = {
            "replicas": len(mine),
            "fullyLabeledReplicas": len(labelled),
            "readyReplicas": sum(map(conditions.ready, mine)),
            "availableReplicas": waits.count(0.0),
            "observedGeneration": meta.get("generation", 0),
        }
        if later := [wait for wait in waits if wait]:
            self.queue.add_after(set_key, min(later))
        before = replica_set.get("status") or {}
        if any(before.get(field, 0) != value for field, value in status.items()):
            try:
                await self._sets.update({**replica_set, "status": status}, "status")
            except ApiError as error:
                if error.status != NOT_FOUND:
                    raise

    def _on_pod(self, _event: str, pod: Json, _before: Json | None) -> None:
        if owner := owner_of(pod, "ReplicaSet"):
            self.queue.add(f"{pod['metadata']['namespace']}/{owner['name']}")


def _worth(pod: Json) -> tuple[bool, bool, float]:
    """The less, the sooner it goes: unplaced pods first, then unready ones, then the youngest."""
    born = pod["metadata"].get("creationTimestamp", "")
    return bool(pod["spec"].get("nodeName")), conditions.ready(pod), -float(born.translate(_DIGITS) or 0)


_DIGITS = str.maketrans("", "", "-:TZ")
