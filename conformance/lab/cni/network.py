"""The kubelet's pod network on top of CNI plugins."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from pyroute2 import IPRoute

from conformance.lab.cni.capabilities import capabilities
from conformance.lab.cni.execution import Attachment, PluginError
from conformance.lab.cni.place import Place
from conformance.lab.cni.result import ResultError, addresses
from conformance.lab.kubelet import netns
from conformance.lab.kubelet.network import NetworkError, PodIdentity
from conformance.lab.kubelet.wanted import Wanted

INTERFACE = "eth0"

_AT_ONCE = 4  # programs of a node that run side by side, of a start of many pods


class CniNetwork:
    """A `PodNetwork` in which plugins do it. Every attempt is a container of its own to them, as in a kubelet."""

    def __init__(self, place: Place, pod_cidrs: tuple[str, ...]) -> None:
        self._runtime = place.runtime()
        self._pod_cidrs = pod_cidrs
        self._attached: dict[str, Attachment] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def attach(self, pod: PodIdentity, namespace: Path, wanted: Wanted) -> tuple[str, ...]:
        """See ``PodNetwork``."""
        container = secrets.token_hex(32)
        attachment = Attachment(container, INTERFACE, str(namespace), _arguments(pod, container))
        await netns.inside(namespace, _loopback)
        async with self._turns:
            try:
                result = await self._runtime.add(attachment, capabilities(wanted, self._pod_cidrs))
                self._attached[pod.uid] = attachment
                return addresses(result)
            except ResultError as error:
                await self._delete(self._attached.pop(pod.uid))
                raise NetworkError(f"the pod network {error}") from error
            except (PluginError, OSError) as error:
                raise NetworkError(str(error)) from error

    async def detach(self, pod: PodIdentity, namespace: Path) -> None:
        """See ``PodNetwork``."""
        attachment = self._attached.pop(pod.uid, None)
        if attachment is not None:
            async with self._turns:
                await self._delete(attachment)

    async def close(self) -> None:
        """See ``PodNetwork``."""
        self._attached.clear()
        try:
            await self._runtime.collect(())
        except (PluginError, OSError) as error:
            raise NetworkError(str(error)) from error

    async def _delete(self, attachment: Attachment) -> None:
        try:
            await self._runtime.delete(attachment)
        except (PluginError, OSError) as error:
            raise NetworkError(str(error)) from error


def _arguments(pod: PodIdentity, container: str) -> str:
    """CNI_ARGS as container runtimes fill it in for Kubernetes."""
    known = {
        "IgnoreUnknown": "1",
        "K8S_POD_NAMESPACE": pod.namespace,
        "K8S_POD_NAME": pod.name,
        "K8S_POD_INFRA_CONTAINER_ID": container,
        "K8S_POD_UID": pod.uid,
    }
    return ";".join(f"{name}={value}" for name, value in known.items())


def _loopback() -> None:
    with IPRoute() as ip:
        ip.link("set", index=1, state="up")
