"""The agent's own life: it ends cleanly, survives being killed, and outlives its API server."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

from conformance.lab.client import ApiError
from tests.lab.kubelet.sandbox import PODS, Cluster, Sandbox, drive, end, exec_output, until_no_links

Json = dict[str, Any]
MARKED = {"command": ["sleep", "31415"]}


async def assert_nothing_is_left(sandbox: Sandbox) -> None:
    assert "31415" not in sandbox.run("ps", "axo", "args")
    assert "zygote" not in sandbox.run("ps", "axo", "args")
    assert sandbox.run("ls", "/run/netns") == ""
    assert sandbox.run("ls", str(sandbox.state / "pods")) == ""
    await until_no_links(sandbox)


def test_sigterm_leaves_no_process_namespace_or_link(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.create("first", MARKED)
        await cluster.create("second", MARKED, hostNetwork=True)
        await cluster.ready("first")
        await cluster.ready("second")
        end(sandbox.agent)
        assert sandbox.agent.returncode == 0
        await assert_nothing_is_left(sandbox)
        assert "cni0" not in sandbox.run("ip", "link")
        pod = await cluster.client.get(f"{PODS}/first")
        assert pod["status"]["phase"] == "Running"  # the next agent takes it over

    drive(sandbox, scenario)
    sandbox.agent = sandbox.start_agent()


def test_a_new_agent_runs_the_pods_of_a_killed_one_and_ends_those_deleted_meanwhile(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.create("stays", MARKED)
        await cluster.create("goes", MARKED)
        await cluster.create("done", {"command": ["true"]}, restartPolicy="Never")
        await cluster.until("done", lambda pod: pod["status"].get("phase") == "Succeeded")
        for name in ("stays", "goes"):
            await cluster.ready(name)
        end(sandbox.agent, signal.SIGKILL)
        deadline = time.monotonic() + 15
        while "31415" in sandbox.run("ps", "axo", "args"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        await cluster.delete("goes")
        assert (await cluster.client.get(f"{PODS}/goes"))["metadata"]["deletionTimestamp"]
        sandbox.agent = sandbox.start_agent()
        await cluster.gone("goes")
        again = await cluster.until("stays", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1)
        assert again["status"]["phase"] == "Running"
        await cluster.ready("stays")
        assert (await cluster.client.get(f"{PODS}/done"))["status"]["phase"] == "Succeeded"
        assert await exec_output(sandbox, "stays", "echo", "hello") == "hello\n"
        for name in ("stays", "done"):
            await cluster.delete(name, 0)

    drive(sandbox, scenario)


def test_pods_outlive_the_api_server_and_the_agent_registers_with_the_next(sandbox: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.create("robust", {"command": ["sh", "-c", "sleep 2; exit 1"]})
        await cluster.create("constant", MARKED)
        await cluster.ready("robust")
        await cluster.ready("constant")
        sandbox.stop_api()
        for running in (False, True):  # it ends, and is started again
            deadline = time.monotonic() + 15
            while ("sleep 2" in sandbox.run("ps", "axo", "args")) is not running:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
        assert await exec_output(sandbox, "constant", "echo", "hello") == "hello\n"
        sandbox.start_api()

    drive(sandbox, scenario)

    async def afterwards(cluster: Cluster) -> None:
        # The embedded server kept nothing, so the pods are gone from the cluster and must go from the node.
        deadline = time.monotonic() + 15
        while "31415" in sandbox.run("ps", "axo", "args"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        while True:
            try:
                await cluster.client.get("/api/v1/nodes/node-a")
                break
            except ApiError:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)
        await cluster.create("fresh", MARKED)
        await cluster.ready("fresh")

    drive(sandbox, afterwards)


def test_the_port_being_taken_is_one_sentence(sandbox: Sandbox) -> None:
    second = sandbox.start_agent(state="second")
    assert second.wait(20) == 3
    assert "cannot listen on port 10250" in (sandbox.folder / "log").read_text()
