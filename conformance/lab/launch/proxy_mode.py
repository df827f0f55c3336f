"""Changing the mode of a running lab's kube-proxy as an administrator would: its ConfigMap, then restarts.

Of all of them by a rolling restart, or of those on some nodes alone: a roll-out that has stopped half way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Any

import yaml

from conformance.errors import LabError, UsageError
from conformance.lab.client import ApiClient, Informer
from conformance.lab.conditions import ready
from conformance.model.cluster import ProxyMode

Json = dict[str, Any]

PATIENCE = 120.0
_SYSTEM = "namespaces/kube-system"
_CONFIG_MAP = f"/api/v1/{_SYSTEM}/configmaps/kube-proxy"
_SETS, _NAME = f"/apis/apps/v1/{_SYSTEM}/daemonsets", "kube-proxy"
_PODS, _LABEL = f"/api/v1/{_SYSTEM}/pods", "k8s-app=kube-proxy"
_KEY = "config.conf"
_RESTARTED = "kubectl.kubernetes.io/restartedAt"


def with_mode(configuration: str, mode: ProxyMode) -> str:
    """The KubeProxyConfiguration (YAML) in ``mode``, with the old mode's settings where the new one has none (pure)."""
    document: Json = yaml.safe_load(configuration)
    before = document.get("mode") or ProxyMode.IPTABLES.value
    if before != mode.value and before in document:
        document.setdefault(mode.value, document.pop(before))
    return yaml.safe_dump({**document, "mode": mode.value}, sort_keys=False)


async def change(client: ApiClient, mode: ProxyMode, nodes: Collection[str] = (), patience: float = PATIENCE) -> bool:
    """Have every kube-proxy in ``mode``, or those on ``nodes``; False when all were to be and were already.

    On return each new one has been ready once; its rules may still be on their way. Those on other nodes stay in the
    mode that they are in until they restart. ``UsageError`` for a node without a kube-proxy, ``LabError`` after
    ``patience`` seconds.
    """
    held = await client.get(_CONFIG_MAP)
    wanted = with_mode(held["data"][_KEY], mode)
    if nodes:
        old = await _proxies_on(client, nodes)
        await client.patch(_CONFIG_MAP, {"data": {_KEY: wanted}}, type="merge")
        await _replace(client, old, mode, patience)
        return True
    if yaml.safe_load(wanted) == yaml.safe_load(held["data"][_KEY]):
        return False
    await client.patch(_CONFIG_MAP, {"data": {_KEY: wanted}}, type="merge")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    template = {"template": {"metadata": {"annotations": {_RESTARTED: now}}}}
    generation = (await client.patch(f"{_SETS}/{_NAME}", {"spec": template}))["metadata"]["generation"]
    sets = Informer(client, _SETS, {"fieldSelector": f"metadata.name={_NAME}"})
    task = asyncio.ensure_future(sets.run())
    try:
        async with asyncio.timeout(patience):
            await sets.until(lambda items: all(_renewed(each, generation) for each in items.values()))
    except TimeoutError as error:
        raise _too_late(mode, patience) from error
    finally:
        task.cancel()
    return True


async def _proxies_on(client: ApiClient, nodes: Collection[str]) -> dict[str, Json]:
    """The kube-proxy pods of ``nodes`` by node."""
    items = (await client.list(_PODS, {"labelSelector": _LABEL}))["items"]
    found = {pod["spec"]["nodeName"]: pod for pod in items}
    for node in nodes:
        if node not in found:
            raise UsageError(f"No kube-proxy runs on a node {node}.", f"They run on {', '.join(sorted(found))}.")
    return {node: found[node] for node in nodes}


async def _replace(client: ApiClient, old: Mapping[str, Json], mode: ProxyMode, patience: float) -> None:
    uids = {pod["metadata"]["uid"] for pod in old.values()}

    def there(pods: Mapping[str, Json]) -> bool:
        fresh = {p["spec"].get("nodeName") for p in pods.values() if p["metadata"]["uid"] not in uids and ready(p)}
        return old.keys() <= fresh and not any(p["metadata"]["uid"] in uids for p in pods.values())

    pods = Informer(client, _PODS, {"labelSelector": _LABEL})
    task = asyncio.ensure_future(pods.run())
    try:
        for pod in old.values():
            await client.delete(f"{_PODS}/{pod['metadata']['name']}")
        async with asyncio.timeout(patience):
            await pods.synced.wait()
            await pods.until(there)
    except TimeoutError as error:
        raise _too_late(mode, patience) from error
    finally:
        task.cancel()


def _too_late(mode: ProxyMode, patience: float) -> LabError:
    return LabError(
        f"After {patience:.0f} s not every kube-proxy is ready in {mode.value} mode.", "See 'nftconform lab status'."
    )


def _renewed(daemon_set: Json, generation: int) -> bool:
    status = daemon_set.get("status") or {}
    counts = {status.get(name, 0) for name in ("desiredNumberScheduled", "updatedNumberScheduled", "numberReady")}
    return status.get("observedGeneration", -1) >= generation and len(counts) == 1
