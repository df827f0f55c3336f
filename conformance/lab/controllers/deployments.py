"""The Deployment controller: one ReplicaSet per version of the pod template, rolled from one to the next."""

from __future__ import annotations

import copy
from typing import Any

from conformance.lab.client import ApiError, key
from conformance.lab.controllers import rollout
from conformance.lab.controllers.cluster import (
    DEPLOYMENTS,
    NOT_FOUND,
    PODS,
    REPLICA_SETS,
    Cluster,
    owned,
    owner_of,
    reference_to,
    together,
)
from conformance.lab.controllers.endpoint_slices import namespace_terminating
from conformance.lab.controllers.templates import fingerprint
from conformance.lab.controllers.workqueue import WorkQueue
from conformance.lab.timestamps import now

Json = dict[str, Any]

HASH = "pod-template-hash"


class DeploymentController:
    """Creates, sizes and tidies the ReplicaSets of each Deployment, and reports how far it is."""

    def __init__(self, cluster: Cluster) -> None:
        self.queue = WorkQueue("deployment", self.sync)
        self._deployments = cluster.store(DEPLOYMENTS)
        self._sets = cluster.store(REPLICA_SETS)
        self._pods = cluster.store(PODS)
        self._client = cluster.client
        self._deployments.subscribe(lambda _event, deployment, _before: self.queue.add(key(deployment)))
        self._sets.subscribe(self._on_set)
        self._pods.subscribe(self._on_pod)

    async def sync(self, deployment_key: str) -> None:
        """Bring one Deployment in order."""
        deployment = self._deployments.get(deployment_key)
        if deployment is None or deployment["metadata"].get("deletionTimestamp"):
            return
        try:
            new = await self._newest(deployment)
            old = [s for s in self._sets_of(deployment) if s["metadata"]["uid"] != new["metadata"]["uid"]]
            await self._resize(rollout.next_sizes(deployment, new, old, old_pods=self._pods_of(old)), [new, *old])
            await self._report(deployment_key)
            await self._tidy(deployment, old)
        except ApiError as error:
            if not namespace_terminating(error):
                raise

    async def _newest(self, deployment: Json) -> Json:
        """The ReplicaSet of the present template, made where there is none, with the highest revision of all."""
        template, meta = deployment["spec"]["template"], deployment["metadata"]
        mark, sets = fingerprint(template), self._sets_of(deployment)
        name = f"{meta['name']}-{mark}"
        new = next((s for s in sets if s["metadata"]["name"] == name), None)
        last = max((rollout.revision(s) for s in sets if s is not new), default=0)
        number = rollout.revision(new) if new and rollout.revision(new) > last else last + 1
        if new is None:
            new = await self._create(deployment, name, mark, number)
        elif rollout.revision(new) != number:
            new = await self._annotate(REPLICA_SETS.item(new), number)
        if rollout.revision(deployment) != number:
            # The one write to the Deployment itself; its event brings us back with the version that we then report on.
            self._deployments.informer.note(await self._annotate(DEPLOYMENTS.item(deployment), number))
        return new

    async def _create(self, deployment: Json, name: str, mark: str, number: int) -> Json:
        template, meta = copy.deepcopy(deployment["spec"]["template"]), deployment["metadata"]
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[HASH] = mark
        selector = copy.deepcopy(deployment["spec"]["selector"])
        selector.setdefault("matchLabels", {})[HASH] = mark
        spec = {"replicas": 0, "selector": selector, "template": template}
        if seconds := deployment["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = seconds
        body = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": meta["namespace"],
                "labels": dict(labels),
                "annotations": {rollout.REVISION: str(number)},
                "ownerReferences": [reference_to(deployment, DEPLOYMENTS)],
            },
            "spec": spec,
        }
        return await self._sets.create(body)

    async def _annotate(self, path: str, number: int) -> Json:
        return await self._client.patch(path, {"metadata": {"annotations": {rollout.REVISION: str(number)}}})

    async def _resize(self, sizes: dict[str, int], sets: list[Json]) -> None:
        for replica_set in sets:
            if (size := sizes.get(replica_set["metadata"]["name"])) is not None:
                # No PUT: the ReplicaSet's own controller writes its status all the time, and conflicts cost a retry.
                path = REPLICA_SETS.item(replica_set)
                self._sets.informer.note(await self._client.patch(path, {"spec": {"replicas": size}}))

    async def _report(self, deployment_key: str) -> None:
        deployment = self._deployments.get(deployment_key)
        if deployment is None:
            return
        sets = self._sets_of(deployment)
        name = f"{deployment['metadata']['name']}-{fingerprint(deployment['spec']['template'])}"
        new = next((s for s in sets if s["metadata"]["name"] == name), None)
        if new is None:
            return  # the template changed meanwhile: its event is on its way
        counts = {field: _total(sets, field) for field in ("replicas", "readyReplicas", "availableReplicas")}
        status: Json = {
            **counts,
            "updatedReplicas": _total([new], "replicas"),
            "unavailableReplicas": max(0, sum(s["spec"]["replicas"] for s in sets) - counts["availableReplicas"]),
            "observedGeneration": deployment["metadata"].get("generation", 0),
        }
        status["conditions"] = rollout.conditions(deployment, status, new, now())
        if not rollout.complete(deployment, status) and (left := rollout.overdue(deployment, now())) > 0:
            self.queue.add_after(deployment_key, left + 1)
        before = deployment.get("status") or {}
        if any((before.get(field) or 0) != value for field, value in status.items()):
            try:
                await self._deployments.update({**deployment, "status": status}, "status")
            except ApiError as error:
                if error.status != NOT_FOUND:
                    raise

    async def _tidy(self, deployment: Json, old: list[Json]) -> None:
        empty = [s for s in old if not s["spec"]["replicas"] and not (s.get("status") or {}).get("replicas")]
        excess = len(empty) - int(deployment["spec"].get("revisionHistoryLimit", 10))
        if excess > 0:
            await together(*(self._sets.delete(s) for s in sorted(empty, key=rollout.revision)[:excess]))

    def _sets_of(self, deployment: Json) -> list[Json]:
        return owned(self._sets.within(deployment["metadata"]["namespace"]), deployment)

    def _pods_of(self, sets: list[Json]) -> int:
        return sum(len(owned(self._pods.within(s["metadata"]["namespace"]), s)) for s in sets)

    def _on_set(self, _event: str, replica_set: Json, _before: Json | None) -> None:
        if owner := owner_of(replica_set, "Deployment"):
            self.queue.add(f"{replica_set['metadata']['namespace']}/{owner['name']}")

    def _on_pod(self, event: str, pod: Json, _before: Json | None) -> None:
        owner = owner_of(pod, "ReplicaSet") if event == "DELETED" else None
        replica_set = self._sets.get(f"{pod['metadata']['namespace']}/{owner['name']}") if owner else None
        if replica_set is not None:
            self._on_set(event, replica_set, None)


def _total(sets: list[Json], field: str) -> int:
    return sum((s.get("status") or {}).get(field) or 0 for s in sets)
