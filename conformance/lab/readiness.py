"""From an API server to a cluster that is ready: add-ons applied, every node, proxy and the DNS server up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from conformance.lab.addresses import AddressPlan
from conformance.lab.client import ApiClient, Informer, backoff
from conformance.lab.conditions import ready

Json = dict[str, Any]


async def answering(kubeconfig: Path) -> None:
    """Return when the API server says that it is ready: it may not even listen yet."""
    attempt = 0
    async with ApiClient.from_kubeconfig(kubeconfig) as client:
        while not await client.healthy():
            attempt += 1
            await asyncio.sleep(backoff(attempt, most=0.5))


async def bring_up(
    plan: AddressPlan,
    kubeconfig: Path,
    wanted: Iterable[tuple[str, Json]],
    waiting_for: Callable[[tuple[str, ...]], None],
    *,
    dns: bool = True,
) -> None:
    """Apply the add-ons and return when all is ready; ``waiting_for`` hears what is not, whenever that changes.

    ``dns`` False: but for cluster DNS.
    """
    async with ApiClient.from_kubeconfig(kubeconfig) as client:
        # The socket listens already, so the first request waits for the server instead of failing.
        await client.get("/version")
        for path, item in wanted:
            await client.create(path, item)
        nodes = Informer(client, "/api/v1/nodes")
        pods = Informer(client, "/api/v1/namespaces/kube-system/pods")
        async with _running(nodes), _running(pods):
            last: tuple[str, ...] = ()
            while now := missing(plan, nodes.items, pods.items, dns=dns):
                if now != last:
                    waiting_for(now)
                    last = now
                await _either(nodes, pods)


@contextlib.asynccontextmanager
async def _running(informer: Informer) -> AsyncIterator[None]:
    task = asyncio.ensure_future(informer.run())
    try:
        await informer.synced.wait()
        yield
    finally:
        task.cancel()


async def _either(*informers: Informer) -> None:
    changes = [asyncio.ensure_future(informer.changed()) for informer in informers]
    try:
        await asyncio.wait(changes, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for change in changes:
            change.cancel()


def missing(
    plan: AddressPlan, nodes: Mapping[str, Json], pods: Mapping[str, Json], *, dns: bool = True
) -> tuple[str, ...]:
    """What is not ready yet, in words; empty when everything is."""
    up = {name for name, node in nodes.items() if ready(node)}
    proxies = {pod["spec"].get("nodeName") for pod in pods.values() if _is(pod, "kube-proxy") and ready(pod)}
    found = [f"node {node.name}" for node in plan.nodes if node.name not in up]
    found += [f"kube-proxy on {node.name}" for node in plan.nodes if node.name not in proxies]
    if dns and not any(_is(pod, "kube-dns") and ready(pod) for pod in pods.values()):
        found.append("cluster DNS")
    return tuple(found)


def _is(pod: Json, app: str) -> bool:
    return bool(pod["metadata"].get("labels", {}).get("k8s-app") == app)
