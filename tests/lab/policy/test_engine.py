"""The engine follows the API, and writes again what a node did not take; the nodes here only take notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from conformance.lab.client import ApiClient
from conformance.lab.faults.board import Board, Switch
from conformance.lab.faults.policy import Flaws
from conformance.lab.policy.engine import Engine
from conformance.lab.policy.rendering import transaction
from conformance.spec.faults import Fault
from tests.lab.api.apiserver import Json, Server, running

POLICIES = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
PODS = "/api/v1/namespaces/default/pods"
NOTHING = transaction(())


class Nodes:
    """What has been written on each, and how often one has refused; wakes who waits at every write."""

    def __init__(self, refusals: int = 0) -> None:
        self.tables: dict[str, str] = {}
        self.ever: set[str] = set()
        self.refusals = refusals
        self.meanwhile: Callable[[str], object] = str
        self._loop = asyncio.get_running_loop()
        self._written = asyncio.Event()

    def apply(self, node: str, text: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise OSError("nft is busy")
        self.meanwhile(text)  # in a thread of its own: the engine goes on seeing
        self.tables[node] = text
        self.ever.add(text)
        self._loop.call_soon_threadsafe(self._written.set)

    async def until(self, condition: Callable[[dict[str, str]], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition(self.tables):
                self._written.clear()
                await self._written.wait()


@asynccontextmanager
async def enforced(server: Server, nodes: Nodes, folder: Path | None = None) -> AsyncIterator[Engine]:
    async with ApiClient.from_kubeconfig(server.state / "kubeconfig") as client:
        near, far = (Engine(client, node, Flaws(folder), partial(nodes.apply, node)) for node in ("near", "far"))
        tasks = [asyncio.create_task(engine.run()) for engine in (near, far)]
        try:
            yield near
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def a_pod(server: Server, name: str, address: str) -> None:
    spec = {"nodeName": "near", "containers": [{"name": "c", "image": "i"}]}
    server.made(PODS, {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec})
    status = {"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}}
    assert server.ask("PATCH", f"{PODS}/{name}/status", status, patch="merge").code == 200


def deny(name: str) -> Json:
    return {"metadata": {"name": name}, "spec": {"podSelector": {"matchLabels": {"app": name}}}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("api")) as there:
        yield there


def test_a_table_comes_changes_and_goes_with_the_policies(server: Server) -> None:
    async def follow() -> None:
        nodes = Nodes()
        async with enforced(server, nodes):
            await nodes.until(lambda tables: tables == {"near": NOTHING, "far": NOTHING})
            a_pod(server, "web", "10.0.0.7")
            await asyncio.to_thread(server.made, POLICIES, deny("web"))
            await nodes.until(lambda tables: "10.0.0.7 : jump" in tables["near"])
            assert nodes.tables["far"] == NOTHING
            a_pod(server, "late", "10.0.0.8")
            patch = {"spec": {"podSelector": {"matchLabels": None}}}
            await asyncio.to_thread(server.ask, "PATCH", f"{POLICIES}/web", patch, patch="merge")
            await nodes.until(lambda tables: "10.0.0.8 : jump" in tables["near"])
            await asyncio.to_thread(server.ask, "DELETE", f"{POLICIES}/web")
            await nodes.until(lambda tables: tables == {"near": NOTHING, "far": NOTHING})

    asyncio.run(follow())


def test_a_last_policy_that_goes_while_it_is_written_is_taken_back(server: Server) -> None:
    async def follow() -> None:
        loop, nodes = asyncio.get_running_loop(), Nodes()
        a_pod(server, "brief", "10.0.0.11")
        async with enforced(server, nodes) as engine:

            def delete(text: str) -> None:
                if "10.0.0.11 : jump" in text:
                    server.ask("DELETE", f"{POLICIES}/brief")
                    seen = engine.policies.until(lambda items: not items)
                    asyncio.run_coroutine_threadsafe(seen, loop).result(60)

            nodes.meanwhile = delete
            await asyncio.to_thread(server.made, POLICIES, deny("brief"))
            await nodes.until(lambda _: any("10.0.0.11 : jump" in text for text in nodes.ever))
            await nodes.until(lambda tables: tables == {"near": NOTHING, "far": NOTHING})

    asyncio.run(follow())


def test_what_a_node_does_not_take_is_written_again(server: Server) -> None:
    async def follow() -> None:
        nodes = Nodes(refusals=4)
        a_pod(server, "again", "10.0.0.9")
        server.made(POLICIES, deny("again"))
        async with enforced(server, nodes):
            await nodes.until(lambda tables: "10.0.0.9 : jump" in tables.get("near", ""))
        assert not nodes.refusals
        server.ask("DELETE", f"{POLICIES}/again")

    asyncio.run(follow())


def test_what_a_predecessor_left_goes_though_a_node_does_not_take_it_at_first(server: Server) -> None:
    async def follow() -> None:
        nodes = Nodes(refusals=4)
        async with enforced(server, nodes):
            await nodes.until(lambda tables: tables == {"near": NOTHING, "far": NOTHING})
        assert not nodes.refusals

    asyncio.run(follow())


def test_a_fault_that_is_switched_has_an_effect_at_once(server: Server, tmp_path: Path) -> None:
    async def follow() -> None:
        nodes, board = Nodes(), Board(tmp_path)
        board.install()
        a_pod(server, "faulty", "10.0.0.10")
        server.made(POLICIES, deny("faulty"))
        async with enforced(server, nodes, tmp_path):
            await nodes.until(lambda tables: "\ndrop\n" in tables.get("near", ""))
            board.write([Switch(Fault.NETWORK_POLICY_TCP_ONLY.name)])
            await nodes.until(lambda tables: "meta l4proto tcp drop" in tables["near"])
        server.ask("DELETE", f"{POLICIES}/faulty")

    asyncio.run(follow())
