"""The Node object: what this node is (pure), and telling the API that it is alive."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
from pathlib import Path
from typing import Any

from conformance.lab import timestamps
from conformance.lab.client import ApiClient, ApiError, backoff
from conformance.lab.kubelet.node import Settings
from conformance.lab.kubelet.record import RUNTIME

Json = dict[str, Any]
_log = logging.getLogger(__name__)

NETWORK = "nftconform.io/cni"
"""The annotation that names the node's pod network."""

HOST_PORTS = "nftconform.io/host-ports"
"""The annotation that says whether that network serves hostPorts: ``true`` or ``false``."""

FEATURES = ["ExtendWebSocketsToKubelet"]
"""What tells kube-apiserver 1.36 to leave the WebSockets of exec as they are (KEP-4006): our kubelet speaks no SPDY."""

_LEASE_SECONDS, _RENEW_SECONDS, _STATUS_SECONDS = 40, 10.0, 60.0
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def node_object(settings: Settings) -> Json:
    """What is created when the node joins."""
    labels = {
        "kubernetes.io/hostname": settings.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": _architecture(),
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": _architecture(),
    }
    if settings.zone:
        labels["topology.kubernetes.io/zone"] = settings.zone
    spec: Json = {}
    if settings.pod_cidrs:
        spec = {"podCIDR": settings.pod_cidrs[0], "podCIDRs": list(settings.pod_cidrs)}
    annotations = {NETWORK: settings.network, HOST_PORTS: str(settings.host_ports).lower()}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": settings.name, "labels": labels, "annotations": annotations},
        "spec": spec,
    }


def node_status(settings: Settings, known: Json, now: str) -> Json:
    """``node.status``; ``known`` is the present one, whose transition times stay."""
    resources = {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 1024}Ki",
        "ephemeral-storage": "100Gi",
        "pods": str(settings.max_pods),
    }
    addresses = [{"type": "InternalIP", "address": address} for address in settings.node_ips]
    return {
        "capacity": resources,
        "allocatable": resources,
        "addresses": [*addresses, {"type": "Hostname", "address": settings.name}],
        "conditions": _conditions(known, now),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": settings.port}},
        "declaredFeatures": FEATURES,
        "nodeInfo": _node_info(settings.kubernetes_version),
    }


async def register(client: ApiClient, settings: Settings) -> Json:
    """Create the Node or take over the one that is there; waits for the API server. The object, with its pod CIDRs."""
    attempt = 0
    while True:
        try:
            return await _register(client, settings)
        except ApiError as error:
            attempt += 1
            _log.log(logging.WARNING if attempt == 5 else logging.DEBUG, "cannot register the node: %s", error)
            await asyncio.sleep(backoff(attempt))


async def heartbeat(client: ApiClient, settings: Settings) -> None:
    """Renew the lease and now and then the status, until cancelled; registers again if the Node was removed."""
    loop, due = asyncio.get_running_loop(), 0.0
    while True:
        try:
            # A lease that had to be made anew belongs to an API server that may not know the Node either.
            if await _renew_lease(client, settings) or loop.time() >= due:
                await _report(client, settings)
                due = loop.time() + _STATUS_SECONDS
        except ApiError as error:
            _log.debug("heartbeat: %s", error)
            if error.status == 404:
                await register(client, settings)
        await asyncio.sleep(_RENEW_SECONDS)


async def _register(client: ApiClient, settings: Settings) -> Json:
    wanted = node_object(settings)
    try:
        await client.create("/api/v1/nodes", wanted)
    except ApiError as error:
        if error.status != 409:
            raise
        patch: Json = {"metadata": {key: wanted["metadata"][key] for key in ("labels", "annotations")}}
        found = await client.get(_path(settings))
        if settings.pod_cidrs and not (found.get("spec") or {}).get("podCIDRs"):
            patch["spec"] = wanted["spec"]
        await client.patch(_path(settings), patch, type="strategic")
    await _renew_lease(client, settings)
    return await _report(client, settings)


async def _report(client: ApiClient, settings: Settings) -> Json:
    found = await client.get(_path(settings))
    status = node_status(settings, found.get("status") or {}, timestamps.now())
    # Addresses merge by type, which would leave one InternalIP of two: as a kubelet's does, this patch replaces them.
    status["addresses"].append({"$patch": "replace"})
    return await client.patch(f"{_path(settings)}/status", {"status": status}, type="strategic")


async def _renew_lease(client: ApiClient, settings: Settings) -> bool:
    """Whether the lease had to be created."""
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    spec = {
        "holderIdentity": settings.name,
        "leaseDurationSeconds": _LEASE_SECONDS,
        "renewTime": timestamps.now_micro(),
    }
    try:
        await client.patch(f"{leases}/{settings.name}", {"spec": spec}, type="merge")
    except ApiError as error:
        if error.status != 404:
            raise
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": settings.name, "namespace": "kube-node-lease"},
            "spec": spec,
        }
        await client.create(leases, lease)
        return True
    return False


def _conditions(known: Json, now: str) -> list[Json]:
    since = {entry["type"]: entry for entry in known.get("conditions") or ()}
    wanted = [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]
    result = []
    for kind, status, reason, message in wanted:
        before = since.get(kind, {})
        changed = now if before.get("status") != status else before.get("lastTransitionTime", now)
        result.append(
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": now,
                "lastTransitionTime": changed,
            }
        )
    return result


def _node_info(version: str) -> Json:
    release = platform.freedesktop_os_release()
    return {
        "machineID": "",
        "systemUUID": "",
        "bootID": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "kernelVersion": platform.release(),
        "osImage": release.get("PRETTY_NAME", "Linux"),
        "containerRuntimeVersion": f"{RUNTIME}://{version.removeprefix('v')}",
        "kubeletVersion": version,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": _architecture(),
    }


def _architecture() -> str:
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def _path(settings: Settings) -> str:
    return f"/api/v1/nodes/{settings.name}"
