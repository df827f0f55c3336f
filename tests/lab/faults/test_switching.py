"""Switching a fault on waits for the proxies that it restarts, however quick or slow the nodes are about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from conformance.lab.client import ApiClient, Informer
from conformance.lab.faults.board import Board, Switch
from conformance.lab.faults.switching import Faults
from conformance.spec.faults import Fault
from tests.lab.api.apiserver import Json, running

PODS = "/api/v1/namespaces/kube-system/pods"
SUCCESSOR_SECONDS = 0.5


async def proxy(client: ApiClient, name: str) -> None:
    """A kube-proxy that is ready."""
    spec = {"nodeName": "node-a", "containers": [{"name": "c", "image": "i"}]}
    await client.create(PODS, {"metadata": {"name": name, "labels": {"k8s-app": "kube-proxy"}}, "spec": spec})
    status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    await client.patch(f"{PODS}/{name}/status", status)


class Quick(ApiClient):
    """By the time that a delete is answered the pod is gone for all to see; its successor comes later."""

    async def delete(self, path: str, params: Mapping[str, str] | None = None, body: Json | None = None) -> Json:
        seen = Informer(self, PODS)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(seen.run())
            await seen.synced.wait()
            gone = await super().delete(path, params, {"gracePeriodSeconds": 0})
            await seen.until(lambda items: not items)
            watching.cancel()
        asyncio.get_running_loop().call_later(SUCCESSOR_SECONDS, lambda: asyncio.ensure_future(proxy(self, "second")))
        return gone


def test_a_proxy_that_is_gone_at_once_is_counted_all_the_same(tmp_path: Path) -> None:
    async def follow(kubeconfig: Path) -> None:
        async with Quick.from_kubeconfig(kubeconfig) as client:
            await proxy(client, "first")
            await Faults(client, Board(tmp_path), patience=20).switch_on(Switch(Fault.ONE_FAMILY_MISSING.name))
            assert [pod["metadata"]["name"] for pod in (await client.list(PODS))["items"]] == ["second"]

    with running(tmp_path / "api") as server:
        asyncio.run(follow(server.kubeconfig))
