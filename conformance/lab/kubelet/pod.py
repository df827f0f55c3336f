"""One pod from its first sight to its last: network, volumes, containers in order, status, and the end of it all."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.lab import timestamps
from conformance.lab.kubelet import netns, payload
from conformance.lab.kubelet.container import Container, Home
from conformance.lab.kubelet.environment import Surroundings
from conformance.lab.kubelet.logs import LogFile
from conformance.lab.kubelet.network import NetworkError, PodIdentity
from conformance.lab.kubelet.node import Node
from conformance.lab.kubelet.record import PodRecord, Terminated
from conformance.lab.kubelet.reporter import Reporter
from conformance.lab.kubelet.volumes import PodVolumes, VolumeError
from conformance.lab.kubelet.wanted import wanted
from conformance.lab.netns import NAMED

Json = dict[str, Any]
Step = Callable[[], Awaitable[None]]
_log = logging.getLogger(__name__)

_RETRY_SECONDS = (0.2, 5.0)
_FORCED_GRACE = 1.0  # what a kubelet leaves a pod whose object is gone already


class Pod:
    """A pod on this node. ``update`` and ``gone`` say what the API says; ``run`` does the rest."""

    def __init__(self, node: Node, pod: Json) -> None:
        meta = pod["metadata"]
        self.pod = pod
        self.identity = PodIdentity(meta["namespace"], meta["name"], meta["uid"])
        self.containers: dict[str, Container] = {}
        self._node = node
        self._folder = node.settings.state / "pods" / f"{meta['namespace']}_{meta['name']}_{meta['uid']}"
        self._netns = NAMED / f"{meta['namespace']}_{meta['name']}"[:200] if self._own_network else None
        if self._netns is not None:
            self._netns = self._netns.with_name(f"{self._netns.name}_{meta['uid'][:8]}")
        self._net: int | None = None
        started = (pod.get("status") or {}).get("startTime") or timestamps.now()
        self._record = PodRecord(started, node.settings.node_ips)
        self._volumes = PodVolumes(node, self._folder / "volumes", lambda: self.pod, self._around)
        self._reporter = Reporter(node.client, lambda: self.pod, self._recorded)
        self._keys = [(kind, meta["namespace"], name) for kind, name in dict.fromkeys(payload.references(pod))]
        self._stop = asyncio.Event()
        self._grace = _FORCED_GRACE
        self._gone = False
        self._order: list[Container] = []
        self.update(pod)

    @property
    def _own_network(self) -> bool:
        return not self.pod["spec"].get("hostNetwork")

    def update(self, pod: Json) -> None:
        """The API's present object; deletion begins when it says so."""
        self.pod = pod
        self._volumes.poke()
        self._reporter.changed()
        if pod["metadata"].get("deletionTimestamp"):
            self.stop(float(pod["metadata"].get("deletionGracePeriodSeconds") or 0))

    def gone(self) -> None:
        """The object is no longer in the API: end the pod without asking."""
        self._gone = True
        self.stop(min(self._grace, _FORCED_GRACE))

    def abandon(self) -> None:
        """The agent ends: end the pod, but leave its object as it is for the next agent."""
        self._reporter.mute()
        self.gone()

    def stop(self, grace: float) -> None:
        """End the pod within ``grace`` seconds; a later call may shorten it."""
        if self._stop.is_set() and grace >= self._grace:
            return
        again, self._grace = self._stop.is_set(), max(grace, _FORCED_GRACE)
        self._stop.set()
        if again:
            self._node.background(self._stop_containers())

    def log(self, container: str, *, previous: bool = False) -> LogFile | None:
        """The log of a container; ``KeyError`` when there is no such container."""
        return self.containers[container].log(previous=previous)

    async def run(self) -> None:
        """The whole life, until nothing of the pod is left here nor (when it was deleted) in the API."""
        if (self.pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            # It ended under an earlier agent.
            await self._stop.wait()
            if not self._gone:
                await self._reporter.delete()
            return
        reporting = asyncio.create_task(self._reporter.run())
        upkeep: list[asyncio.Task[None]] = [reporting]
        try:
            try:
                await self._live(upkeep)
            finally:
                self._change(replace(self._record, ended=self._stop.is_set() or self._record.ended))
                await self._tear_down()
            if not self._stop.is_set():
                await self._stop.wait()
        finally:
            for task in upkeep:
                task.cancel()
            await asyncio.gather(*upkeep, return_exceptions=True)
            self._node.objects.release(self._keys, self._volumes.poke)
        if not self._gone:
            await self._reporter.flush()
            await self._reporter.delete()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _live(self, upkeep: list[asyncio.Task[None]]) -> None:
        waiting = asyncio.create_task(self._stop.wait())
        try:
            if not await self._prepare(waiting):
                return
            upkeep.append(asyncio.create_task(self._volumes.keep_current()))
            lives = asyncio.create_task(self._containers())
            try:
                await asyncio.wait({lives, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if self._stop.is_set():
                    await self._stop_containers()
                await lives
            finally:
                lives.cancel()
        finally:
            waiting.cancel()

    async def _prepare(self, waiting: asyncio.Task[bool]) -> bool:
        """Network, objects, volumes; False when the pod is stopped meanwhile."""
        self._make_containers()
        acquired = asyncio.ensure_future(self._node.objects.acquire(self._keys, self._volumes.poke))
        try:
            if not await self._until_it_works(self._sandbox, "FailedCreatePodSandBox", waiting):
                return False
            await asyncio.wait({acquired, waiting}, return_when=asyncio.FIRST_COMPLETED)
            services = asyncio.ensure_future(self._node.services.synced.wait())
            await asyncio.wait({services, waiting}, return_when=asyncio.FIRST_COMPLETED)
            services.cancel()
        finally:
            acquired.cancel()
        return await self._until_it_works(self._volumes.prepare, "FailedMount", waiting)

    async def _until_it_works(
        self, step: Callable[[], Awaitable[None]], reason: str, waiting: asyncio.Task[bool]
    ) -> bool:
        delay = _RETRY_SECONDS[0]
        while not self._stop.is_set():
            try:
                await step()
            except (VolumeError, NetworkError, OSError) as error:
                self._node.warn(self.pod, reason, str(error))
                await asyncio.wait({waiting}, timeout=delay)
                delay = min(delay * 2, _RETRY_SECONDS[1])
            else:
                return not self._stop.is_set()
        return False

    async def _sandbox(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._netns is None:
            self._change(replace(self._record, sandbox=True, pod_ips=self._node.settings.node_ips))
            return
        sysctls = (self.pod["spec"].get("securityContext") or {}).get("sysctls") or ()
        # For the next agent, should this one be killed.
        (self._folder / "netns").write_text(str(self._netns))
        netns.remove(self._netns)
        await netns.create(self._netns, {entry["name"]: entry["value"] for entry in sysctls})
        addresses = await self._node.network.attach(self.identity, self._netns, wanted(self.pod))
        self._net = os.open(self._netns, os.O_RDONLY | os.O_CLOEXEC)
        self._change(replace(self._record, sandbox=True, pod_ips=addresses))

    def _make_containers(self) -> None:
        spec = self.pod["spec"]
        policy = spec.get("restartPolicy", "Always")
        initializing = bool(spec.get("initContainers"))
        for one in spec.get("initContainers") or ():
            own = "Always" if one.get("restartPolicy") == "Always" else "OnFailure" if policy == "Always" else policy
            self.containers[one["name"]] = self._container(one, own, "PodInitializing")
        for one in spec["containers"]:
            waiting = "PodInitializing" if initializing else "ContainerCreating"
            self.containers[one["name"]] = self._container(one, policy, waiting)
        self._reporter.changed()

    def _container(self, spec: Json, policy: str, waiting: str) -> Container:
        home = Home(
            lambda: self.pod, self._around, self._volumes, self._folder, lambda: self._net, self._reporter.changed
        )
        status = self.pod.get("status") or {}
        known = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
        # It ran under an earlier agent, with which it ended.
        before = [one["restartCount"] + 1 for one in known if one["name"] == spec["name"] and one.get("containerID")]
        return Container(self._node, home, spec, policy, waiting=waiting, restarts=before[0] if before else 0)

    async def _containers(self) -> None:
        """Init containers one after the other, then the others together; until all have ended."""
        spec = self.pod["spec"]
        sidecars: list[asyncio.Task[None]] = []
        for one in spec.get("initContainers") or ():
            container = self.containers[one["name"]]
            if not await self._initialize(container, one, sidecars):
                break
        else:
            self._change(replace(self._record, initialized=True))
            main = [self.containers[one["name"]] for one in spec["containers"]]
            await asyncio.gather(*(self._alive(container) for container in main))
            if not self._stop.is_set():
                self._change(replace(self._record, ended=True))
        for container in reversed(self._order):
            await container.stop(self._grace if self._stop.is_set() else float(self._default_grace))
        await asyncio.gather(*sidecars)

    async def _initialize(self, container: Container, spec: Json, sidecars: list[asyncio.Task[None]]) -> bool:
        """Run one init container, or start one that stays; False when the pod cannot go on."""
        run = asyncio.create_task(self._alive(container))
        if spec.get("restartPolicy") == "Always":
            sidecars.append(run)
            started = asyncio.create_task(container.started.wait())
            await asyncio.wait({run, started}, return_when=asyncio.FIRST_COMPLETED)
            started.cancel()
            return not self._stop.is_set()
        await run
        state = container.record.state
        if self._stop.is_set():
            return False
        if not isinstance(state, Terminated) or state.exit_code != 0:
            self._change(replace(self._record, ended=True))
            return False
        return True

    async def _alive(self, container: Container) -> None:
        if self._stop.is_set():
            return
        self._order.append(container)
        try:
            await container.run()
        finally:
            self._order.remove(container)

    @property
    def _default_grace(self) -> int:
        return int(self.pod["spec"].get("terminationGracePeriodSeconds", 30))

    async def _stop_containers(self) -> None:
        """All containers together, but those that stay beside them (sidecars) after them, last first."""
        stay = {one["name"] for one in self.pod["spec"].get("initContainers") or ()}
        ordinary = [one for one in self._order if one.spec["name"] not in stay]
        await asyncio.gather(*(container.stop(self._grace) for container in ordinary))
        for container in reversed(list(self._order)):
            await container.stop(self._grace)

    async def _tear_down(self) -> None:
        if self._net is not None:
            os.close(self._net)
            self._net = None
        if self._netns is not None:
            try:
                await self._node.network.detach(self.identity, self._netns)
            except NetworkError as error:
                self._node.warn(self.pod, "FailedKillPod", str(error))
            # In a thread: umount waits for a grace period of the kernel's, a busy machine makes that long.
            await asyncio.to_thread(netns.remove, self._netns)
        self._volumes.remove()
        self._change(replace(self._record, sandbox=False))

    def _around(self) -> Surroundings:
        namespace = self.identity.namespace
        found: dict[str, dict[str, Json]] = {"configmaps": {}, "secrets": {}}
        for key in self._keys:
            item = self._node.objects.get(key)
            if item is not None:
                found[key[0]][key[2]] = item
        services = tuple(
            item
            for name, item in self._node.services.items.items()
            if name == "default/kubernetes" or item["metadata"]["namespace"] == namespace
        )
        return Surroundings(
            self._record.pod_ips, self._record.host_ips, services, found["configmaps"], found["secrets"]
        )

    def _recorded(self) -> PodRecord:
        spec = self.pod["spec"]
        return replace(
            self._record,
            init_containers=tuple(
                self.containers[one["name"]].record
                for one in spec.get("initContainers") or ()
                if one["name"] in self.containers
            ),
            containers=tuple(
                self.containers[one["name"]].record for one in spec["containers"] if one["name"] in self.containers
            ),
        )

    def _change(self, record: PodRecord) -> None:
        if record != self._record:
            self._record = record
            self._reporter.changed()


def leftovers(state: Path) -> None:
    """Remove what an agent that was killed left under ``state``: pod folders and their network namespaces."""
    for folder in (state / "pods").glob("*"):
        note = folder / "netns"
        if note.is_file():
            netns.remove(Path(note.read_text()))
        shutil.rmtree(folder, ignore_errors=True)
