"""The API server and the controllers as processes, and nodes that only say that their pods run."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conformance.lab.client import ApiClient, ApiError, Informer
from conformance.lab.timestamps import now

Json = dict[str, Any]

NODES = ("node-a", "node-b", "node-c")
SECONDS = 90


class World:
    """An API server with controllers, in ``folder``; ``close`` ends every process it started."""

    def __init__(self, folder: Path, *, node_grace: float = 40.0) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._log = (folder / "log").open("wb")
        self.start("api", "--listen", "127.0.0.1:0", "--state", str(folder))
        give_up = time.monotonic() + SECONDS
        while not (self.kubeconfig.exists() and asyncio.run(self._answers())):
            if self._processes["api"].poll() is not None or time.monotonic() > give_up:
                raise RuntimeError((folder / "log").read_text())
            time.sleep(0.1)
        self.start("controllers", "--kubeconfig", str(self.kubeconfig), "--node-grace", str(node_grace))

    async def _answers(self) -> bool:
        async with ApiClient.from_kubeconfig(self.kubeconfig) as client:
            try:
                await client.get("/version")
            except (ApiError, OSError, aiohttp.ClientError):
                return False
        return True

    def start(self, module: str, *arguments: str) -> None:
        """Run ``python -m conformance.lab.<module>``."""
        command = [sys.executable, "-m", f"conformance.lab.{module}", *arguments]
        self._processes[module] = subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def stop(self, module: str) -> int:
        """End it politely; its exit code."""
        process = self._processes.pop(module)
        process.terminate()
        return process.wait(SECONDS)

    def wait(self, module: str) -> int:
        """Let it end by itself; its exit code."""
        return self._processes.pop(module).wait(SECONDS)

    def close(self) -> None:
        """End everything."""
        for module in list(self._processes):
            self.stop(module)
        self._log.close()

    def kubectl(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl; skips the test where there is none."""
        if shutil.which("kubectl") is None:
            pytest.skip("kubectl is not installed")
        environment = {"PATH": os.environ["PATH"], "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.folder)}
        return subprocess.run(
            ["kubectl", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            timeout=SECONDS,
            check=False,
        )

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[ApiClient]:
        """A client of the administrator."""
        async with ApiClient.from_kubeconfig(self.kubeconfig) as client, asyncio.timeout(SECONDS):
            yield client

    def nodes(self, scenario: Callable[[], None]) -> None:
        """Call the blocking ``scenario`` in a thread while the nodes answer for their pods."""

        async def main() -> None:
            async with self.client() as client:
                await register(client)
                agent = asyncio.create_task(answer_for_pods(client))
                try:
                    await asyncio.to_thread(scenario)
                finally:
                    agent.cancel()

        asyncio.run(main())


@contextlib.asynccontextmanager
async def watching(client: ApiClient, path: str) -> AsyncIterator[Informer]:
    """A running informer."""
    informer = Informer(client, path)
    task = asyncio.create_task(informer.run())
    try:
        await informer.synced.wait()
        yield informer
    finally:
        task.cancel()


async def register(client: ApiClient) -> None:
    """Make the nodes, ready."""
    for index, name in enumerate(NODES):
        labels = {"topology.kubernetes.io/zone": f"zone-{'ab'[index % 2]}"}
        with contextlib.suppress(ApiError):
            body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
            await client.create("/api/v1/nodes", body)
        await beat(client, name)


async def beat(client: ApiClient, name: str) -> None:
    """One heartbeat of a node."""
    state = {"type": "Ready", "status": "True", "lastHeartbeatTime": now(), "lastTransitionTime": now()}
    await client.patch(f"/api/v1/nodes/{name}/status", {"status": {"conditions": [state]}}, "strategic")


async def answer_for_pods(client: ApiClient) -> None:
    """Say that every bound pod runs and is ready, and let every terminating one go."""
    numbers = itertools.count(10)

    async def answer(pod: Json) -> None:
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        if pod["metadata"].get("deletionTimestamp"):
            await client.delete(path, body={"gracePeriodSeconds": 0})
        elif pod["spec"].get("nodeName") and not pod["status"].get("podIPs"):
            number = next(numbers)
            ips = [{"ip": f"10.244.{number // 250}.{number % 250}"}, {"ip": f"fd44::{number:x}"}]
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": now()}
            status = {"phase": "Running", "podIP": ips[0]["ip"], "podIPs": ips, "conditions": [ready]}
            await client.patch(f"{path}/status", {"status": status}, "strategic")

    async with watching(client, "/api/v1/pods") as pods:
        while True:
            changed = asyncio.ensure_future(pods.changed())
            for pod in list(pods.items.values()):
                with contextlib.suppress(ApiError):
                    await answer(pod)
            await changed
