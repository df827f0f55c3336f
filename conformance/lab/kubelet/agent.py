"""The agent as a whole: registers the node, follows its pods, serves the kubelet's port, ends everything in order."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.errors import LabError
from conformance.lab.client import ApiClient, Informer
from conformance.lab.kubelet import pod as pods
from conformance.lab.kubelet import registration
from conformance.lab.kubelet.network import NetworkError, PodNetwork
from conformance.lab.kubelet.node import Node, Settings
from conformance.lab.kubelet.objects import ObjectCache
from conformance.lab.kubelet.pod import Pod
from conformance.lab.kubelet.server import Server
from conformance.lab.kubelet.spawn import Spawner
from conformance.lab.kubelet.system import System

Json = dict[str, Any]
_log = logging.getLogger(__name__)

NetworkMaker = Callable[[tuple[str, ...]], PodNetwork]
"""Makes the pod network from the node's pod CIDRs."""

_SHUTDOWN_SECONDS = 4.0


class Agent:
    """One node's agent."""

    def __init__(self, settings: Settings, network: NetworkMaker) -> None:
        self._settings = settings
        self._make_network = network
        self._pods: dict[str, Pod] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._node: Node | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop``; ``LabError`` when the zygote is lost, or the port is taken."""
        settings = self._settings
        _raise_file_limit()
        await asyncio.to_thread(pods.leftovers, settings.state)
        async with ApiClient.from_kubeconfig(settings.kubeconfig) as client:
            registering = asyncio.ensure_future(registration.register(client, settings))
            stopped = asyncio.ensure_future(stop.wait())
            await asyncio.wait({registering, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                registering.cancel()
                return
            settings = self._settings = _with_pod_cidrs(settings, registering.result())
            spawner = Spawner(settings.state)
            spawner.open()
            node = self._node = Node(
                settings,
                client,
                spawner,
                self._make_network(settings.pod_cidrs),
                ObjectCache(client),
                Informer(client, "/api/v1/services"),
                System.of_this_machine(),
            )
            try:
                await _take_away(node.network)
                await self._serve(node, stop)
            finally:
                await self._shut_down(node)

    def find(self, namespace: str, name: str, uid: str = "") -> Pod | None:
        """See ``server.Pods``."""
        found = None
        for pod in self._pods.values():
            if (pod.identity.namespace, pod.identity.name) == (namespace, name) and uid in ("", pod.identity.uid):
                found = pod
        return found

    def objects(self) -> list[Json]:
        """See ``server.Pods``."""
        return [pod.pod for pod in self._pods.values()]

    async def _serve(self, node: Node, stop: asyncio.Event) -> None:
        server = Server(node.settings, self)
        try:
            await server.open()
        except OSError as error:
            raise LabError(
                f"The node agent of {node.settings.name} cannot listen on port {node.settings.port}: {error.strerror}.",
                "End whatever uses the port in the node's namespace.",
            ) from error
        selector = {"fieldSelector": f"spec.nodeName={node.settings.name}"}
        followers = [
            asyncio.create_task(work)
            for work in (
                node.services.run(),
                Informer(node.client, "/api/v1/pods", selector, self._on_event).run(),
                registration.heartbeat(node.client, node.settings),
            )
        ]
        waits = [asyncio.create_task(event.wait()) for event in (stop, node.spawner.lost)]
        try:
            done, _ = await asyncio.wait([*waits, *followers], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if node.spawner.lost.is_set():
                raise LabError("The process that holds the node's pods has ended.", "Start the node agent again.")
        finally:
            for task in (*followers, *waits):
                task.cancel()
            await asyncio.gather(*followers, *waits, return_exceptions=True)
            await server.close()

    def _on_event(self, event: str, item: Json) -> None:
        uid = item["metadata"]["uid"]
        pod = self._pods.get(uid)
        if event == "DELETED":
            if pod is not None:
                pod.gone()
        elif pod is not None:
            pod.update(item)
        elif self._node is not None:
            pod = self._pods[uid] = Pod(self._node, item)
            task = self._tasks[uid] = asyncio.create_task(pod.run())
            task.add_done_callback(lambda done: self._forget(uid, done))

    def _forget(self, uid: str, task: asyncio.Task[None]) -> None:
        pod = self._pods.pop(uid)
        del self._tasks[uid]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("pod %s/%s was lost", pod.identity.namespace, pod.identity.name, exc_info=error)

    async def _shut_down(self, node: Node) -> None:
        await _take_away(node.network)
        for pod in list(self._pods.values()):
            pod.abandon()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=_SHUTDOWN_SECONDS)
        for task in (*tasks, *node.tasks):
            task.cancel()
        await asyncio.gather(*tasks, *node.tasks, return_exceptions=True)
        node.spawner.close()
        await asyncio.to_thread(pods.leftovers, node.settings.state)


async def _take_away(network: PodNetwork) -> None:
    """What cannot be taken away hinders no other pod."""
    try:
        await network.close()
    except NetworkError as error:
        _log.warning("something of the pod network is left: %s", error)


def _with_pod_cidrs(settings: Settings, node: Json) -> Settings:
    """The node's own pod CIDRs win: a controller may have given others than the command line."""
    found = (node.get("spec") or {}).get("podCIDRs") or settings.pod_cidrs
    return replace(settings, pod_cidrs=tuple(found))


def _raise_file_limit() -> None:
    """Every pod holds some ten descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else os.sysconf("SC_OPEN_MAX")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, 65536) if soft < 65536 else soft, hard))
