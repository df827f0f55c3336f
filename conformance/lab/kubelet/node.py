"""What the parts of the agent share: the node's settings, the API, the zygote, the pod network, copies of objects."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.lab import timestamps
from conformance.lab.client import ApiClient, ApiError, Informer
from conformance.lab.kubelet.network import PodNetwork
from conformance.lab.kubelet.objects import ObjectCache
from conformance.lab.kubelet.spawn import Spawner
from conformance.lab.kubelet.system import System

Json = dict[str, Any]
_log = logging.getLogger(__name__)

VERSION = "v1.36.2"
"""What a node says it runs, unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The command line. ``node_ips``: the first is the primary; ``pod_cidrs`` empty: take ``node.spec.podCIDRs``.

    ``network`` is the pod network's name; ``host_ports`` says whether it serves them.
    """

    name: str
    kubeconfig: Path
    state: Path
    tls_cert: Path
    tls_key: Path
    client_ca: Path
    zone: str = ""
    node_ips: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    port: int = 10250
    max_pods: int = 1000
    kubernetes_version: str = VERSION
    network: str = "lab-bridge"
    host_ports: bool = True


@dataclass(slots=True)
class Node:
    """One running agent."""

    settings: Settings
    client: ApiClient
    spawner: Spawner
    network: PodNetwork
    objects: ObjectCache
    services: Informer
    system: System
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def can_change_user(self) -> bool:
        """Whether other user ids exist here: not in a rootless user namespace with its single id."""
        return sum(int(line.split()[2]) for line in Path("/proc/self/uid_map").read_text().splitlines()) > 1

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside everything else; it is kept from being forgotten."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def warn(self, pod: Json, reason: str, message: str) -> None:
        """Post a Warning event about ``pod``; nobody waits for it and nothing depends on it."""
        _log.warning("%s/%s: %s: %s", pod["metadata"]["namespace"], pod["metadata"]["name"], reason, message)
        self.background(self._post(pod, reason, message))

    async def _post(self, pod: Json, reason: str, message: str) -> None:
        meta, now = pod["metadata"], timestamps.now()
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{meta['name']}.{os.urandom(8).hex()}", "namespace": meta["namespace"]},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
            "type": "Warning",
            "reason": reason,
            "message": message[:1024],
            "source": {"component": "kubelet", "host": self.settings.name},
            "reportingComponent": "kubelet",
            "reportingInstance": self.settings.name,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            await self.client.create(f"/api/v1/namespaces/{meta['namespace']}/events", event)
        except ApiError as error:
            _log.debug("event %s was not taken: %s", reason, error)
