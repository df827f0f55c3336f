"""What a fault on a node knows of the API's objects: told again whenever they change."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from conformance.lab.client import ApiClient, Informer
from conformance.lab.faults.scene import Json, Scene
from conformance.lab.kubeconfig import in_cluster

SERVICES, SLICES = "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices"
PODS = "/api/v1/pods"

Items = Mapping[str, Json]
"""Objects by ``namespace/name``."""


@contextlib.asynccontextmanager
async def following(path: str, act: Callable[[Items], Awaitable[None]]) -> AsyncIterator[None]:
    """``act`` on the objects of one collection: with the first list before this is entered, then with every change."""
    ready = asyncio.Event()

    async def follow(informer: Informer) -> None:
        await informer.synced.wait()
        while True:
            change = informer.changed()
            await act(informer.items)
            ready.set()
            await change

    async with ApiClient(in_cluster(), "nftconform-fault") as client, asyncio.TaskGroup() as group:
        informer = Informer(client, path)
        tasks = [group.create_task(informer.run()), group.create_task(follow(informer))]
        try:
            await ready.wait()
            yield
        finally:
            for task in tasks:
                task.cancel()


async def primary_addresses(scene: Scene) -> dict[str, str]:
    """This node's address of each family, by nft's word for it."""
    # In a thread, because the scene asks the API in an event loop of its own.
    world = await asyncio.to_thread(lambda: scene.world)
    (here,) = (node for node in world.nodes if node["metadata"]["name"] == scene.node)
    internal = [a["address"] for a in here["status"]["addresses"] if a["type"] == "InternalIP"]
    return {"ip6" if ":" in address else "ip": address for address in reversed(internal)}


def uids(scene: Scene, pods: Items, app: str) -> set[str]:
    """Those of this node's pods of the add-on that is labelled ``k8s-app: app``."""
    here = (pod for pod in pods.values() if pod["spec"].get("nodeName") == scene.node)
    return {p["metadata"]["uid"] for p in here if (p["metadata"].get("labels") or {}).get("k8s-app") == app}


async def is_meant(scene: Scene) -> bool:
    """Whether a fault that one node has is this one's: where nobody says whose, the last one's."""
    # In a thread, because the scene asks the API in an event loop of its own.
    world = await asyncio.to_thread(lambda: scene.world)
    return bool(scene.switch.node) or scene.node == max(node["metadata"]["name"] for node in world.nodes)
