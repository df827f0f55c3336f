"""Changing the mode of a running lab's kube-proxy as an administrator would: its ConfigMap, then a rolling restart."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import yaml

from conformance.errors import LabError
from conformance.lab.client import ApiClient, Informer
from conformance.model.cluster import ProxyMode

Json = dict[str, Any]

PATIENCE = 120.0
_SYSTEM = "namespaces/kube-system"
_CONFIG_MAP = f"/api/v1/{_SYSTEM}/configmaps/kube-proxy"
_SETS, _NAME = f"/apis/apps/v1/{_SYSTEM}/daemonsets", "kube-proxy"
_KEY = "config.conf"
_RESTARTED = "kubectl.kubernetes.io/restartedAt"


def with_mode(configuration: str, mode: ProxyMode) -> str:
    """The KubeProxyConfiguration (YAML) in ``mode``, with the old mode's settings where the new one has none (pure)."""
    document: Json = yaml.safe_load(configuration)
    before = document.get("mode") or ProxyMode.IPTABLES.value
    if before != mode.value and before in document:
        document.setdefault(mode.value, document.pop(before))
    return yaml.safe_dump({**document, "mode": mode.value}, sort_keys=False)


async def change(client: ApiClient, mode: ProxyMode, patience: float = PATIENCE) -> bool:
    """Have every kube-proxy in ``mode``; False when all were. ``LabError`` after ``patience`` seconds.

    On return each new one has been ready once; its rules may still be on their way.
    """
    held = await client.get(_CONFIG_MAP)
    wanted = with_mode(held["data"][_KEY], mode)
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
        raise LabError(
            f"After {patience:.0f} s not every kube-proxy is ready in {mode.value} mode.",
            "See 'nftconform lab status'.",
        ) from error
    finally:
        task.cancel()
    return True


def _renewed(daemon_set: Json, generation: int) -> bool:
    status = daemon_set.get("status") or {}
    counts = {status.get(name, 0) for name in ("desiredNumberScheduled", "updatedNumberScheduled", "numberReady")}
    return status.get("observedGeneration", -1) >= generation and len(counts) == 1
