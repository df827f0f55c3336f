"""A lab with a real control plane and kube-proxy: what a kit, a person and kube-apiserver find there."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conformance.lab import kubeconfig
from conformance.lab.client import ApiClient, ApiError, Informer
from conformance.lab.conditions import ready
from conformance.lab.launch.directory import Directory, required
from conformance.lab.launch.start import Lab, environment
from conformance.lab.real.choice import Real

Json = dict[str, Any]
PODS = "/api/v1/namespaces/default/pods"
_SECONDS = 60.0


def command(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "conformance.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment(),
        cwd=cwd,
        check=False,
    )


def drive(lab: Lab, scenario: Callable[[ApiClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(_SECONDS), ApiClient.from_kubeconfig(lab.kubeconfig) as client:
            await scenario(client)

    asyncio.run(run())


@asynccontextmanager
async def pod(client: ApiClient, name: str) -> AsyncIterator[None]:
    """A pod that is ready for the time of the block."""
    container = {"name": "c", "image": "any", "command": ["sh", "-c", "echo started; exec sleep 1000"]}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    await client.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    informer = Informer(client, PODS)
    watching = asyncio.ensure_future(informer.run())
    try:
        await informer.until(lambda items: f"default/{name}" in items and ready(items[f"default/{name}"]))
        yield
        await client.delete(f"{PODS}/{name}")
        await informer.until(lambda items: f"default/{name}" not in items)
    finally:
        watching.cancel()


def test_nodes_and_proxies_are_as_a_cluster_s(lab: Lab, real: Real) -> None:
    async def scenario(client: ApiClient) -> None:
        nodes = (await client.list("/api/v1/nodes"))["items"]
        assert [n["status"]["nodeInfo"]["kubeletVersion"] for n in nodes] == [real.binaries.version] * 2
        assert not any(n["spec"].get("taints") for n in nodes), "the node controller sees that they are ready"
        sets = await client.get("/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy")
        assert sets["status"]["numberReady"] == 2
        service = await client.get("/api/v1/namespaces/default/services/kubernetes")
        assert service["spec"]["clusterIP"] == "10.96.0.1"

    drive(lab, scenario)
    facts = command("facts", "--kubeconfig", str(lab.kubeconfig)).stdout
    assert real.binaries.version in facts
    assert "nftables" in facts
    table = command(
        "lab", "exec", "--dir", str(lab.directory), "node-b", "--", "nft", "list", "table", "ip", "kube-proxy"
    )
    assert "rules for kube-proxy" in table.stdout
    assert f"kube-apiserver {real.binaries.version}" in command("lab", "status", "--dir", str(lab.directory)).stdout


@pytest.mark.parametrize("version", [4, 5])
def test_exec_through_kube_apiserver(lab: Lab, version: int) -> None:
    async def scenario(client: ApiClient) -> None:
        async with pod(client, "exec"):
            words = ("sh", "-c", "cat; echo to-stderr >&2; exit 7")
            params = [
                *(("command", word) for word in words),
                *((name, "true") for name in ("stdin", "stdout", "stderr")),
            ]
            connection = kubeconfig.from_file(lab.kubeconfig)
            connector = aiohttp.TCPConnector(ssl=connection.ssl_context())
            output = {1: b"", 2: b"", 3: b""}
            async with (
                aiohttp.ClientSession(connection.server, connector=connector) as session,
                session.ws_connect(
                    f"{PODS}/exec/exec", params=params, protocols=[f"v{version}.channel.k8s.io"]
                ) as stream,
            ):
                await stream.send_bytes(b"\0to-stdin")
                # Only version 5 has an end of input: version 4 gives the output, and the stream is cut.
                if version == 5:
                    await stream.send_bytes(b"\xff\0")
                async for message in stream:
                    output[message.data[0]] += message.data[1:]
                    if version == 4 and output[1]:
                        break
            assert output[1] == b"to-stdin"
            if version == 5:
                assert output[2] == b"to-stderr\n"
                assert json.loads(output[3])["details"]["causes"][0]["message"] == "7"

    drive(lab, scenario)


def test_a_log_through_kube_apiserver(lab: Lab) -> None:
    async def scenario(client: ApiClient) -> None:
        async with pod(client, "log"):
            assert "started\n" in command("lab", "logs", "--dir", str(lab.directory), "default/log").stdout

    drive(lab, scenario)


def test_a_node_may_only_do_what_nodes_may(lab: Lab) -> None:
    async def scenario(client: ApiClient) -> None:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": "system:node:node-a",
                "groups": ["system:nodes"],
                "resourceAttributes": {"verb": "list", "resource": "secrets", "namespace": "kube-system"},
            },
        }
        answer = await client.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        assert answer["status"]["allowed"] is False

    drive(lab, scenario)


def test_faults_below_the_proxy_work_and_others_say_why_not(lab: Lab) -> None:
    folder = ("--dir", str(lab.directory))
    refused = command("lab", "fault", "on", *folder, "not-ready-chosen")
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    assert "this lab's API server is a real one" in refused.stderr
    assert command("lab", "fault", "on", *folder, "no-service-rules").returncode == 0
    cluster = ("--kubeconfig", str(lab.kubeconfig), "--case", "CIP-01")
    assert command("run", *cluster, cwd=lab.directory.parent).returncode == 1
    assert command("lab", "fault", "off", *folder).returncode == 0
    done = command("run", *cluster, cwd=lab.directory.parent)
    assert done.returncode == 0, done.stdout


def test_kube_apiserver_may_be_killed(lab: Lab) -> None:
    record = required(Directory(lab.directory))
    children = Path(f"/proc/{record.supervisor}/task/{record.supervisor}/children").read_text().split()
    (server,) = (pid for pid in children if b"kube-apiserver\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
    subprocess.run(["kill", "-KILL", server], check=True)

    async def scenario(client: ApiClient) -> None:
        while True:
            try:
                assert len((await client.list("/api/v1/nodes"))["items"]) == 2
            except ApiError:
                await asyncio.sleep(0.1)
            else:
                break
        async with pod(client, "after"):
            pass

    drive(lab, scenario)
