"""The API client and its informer against a server that breaks off, forgets and restarts."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from conformance.errors import ClusterError
from conformance.lab import kubeconfig
from conformance.lab.client import ApiClient, ApiError, Informer, backoff, key

Json = dict[str, Any]

PATH = "/api/v1/things"


class Server:
    """A collection with list and watch over HTTP, which can be stopped, started, and made to forget."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.history: list[tuple[int, str, Json]] = []
        self.version = 10
        self.port = 0
        self.lists = 0
        self.seen: list[web.Request] = []
        self._changed = asyncio.Event()
        self._drop = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def put(self, name: str, uid: str = "", **extra: object) -> Json:
        event = "MODIFIED" if name in self.objects else "ADDED"
        return self._record(event, {"metadata": {"name": name, "uid": uid or name}, **extra})

    def remove(self, name: str) -> None:
        self._record("DELETED", self.objects[name])

    def forget_history(self) -> None:
        """As after a compaction: versions up to now have expired."""
        self.history.clear()
        self.version += 1

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get(PATH, self._get)
        app.router.add_post(PATH, self._post)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    def drop(self) -> None:
        """Break every watch off in the middle."""
        self._drop.set()
        self._drop = asyncio.Event()

    def _record(self, event: str, obj: Json) -> Json:
        self.version += 1
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        name = obj["metadata"]["name"]
        if event == "DELETED":
            del self.objects[name]
        else:
            self.objects[name] = obj
        self.history.append((self.version, event, obj))
        self._changed.set()
        self._changed = asyncio.Event()
        return obj

    async def _post(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        body = await request.json()
        return web.json_response(
            {"kind": "Status", "code": 422, "reason": "Invalid", "message": body["why"]}, status=422
        )

    async def _get(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if "watch" in request.query:
            return await self._watch(request)
        self.lists += 1
        meta = {"resourceVersion": str(self.version)}
        items = list(self.objects.values())
        return web.json_response({"kind": "ThingList", "apiVersion": "v1", "metadata": meta, "items": items})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        sent, drop = int(request.query["resourceVersion"]), self._drop
        response = web.StreamResponse()
        await response.prepare(request)
        oldest = self.history[0][0] if self.history else self.version + 1
        if sent < oldest - 1:
            status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
            await response.write(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
            return response
        while not drop.is_set():
            changed = self._changed
            for version, event, obj in self.history:
                if version > sent:
                    await response.write(json.dumps({"type": event, "object": obj}).encode() + b"\n")
                    sent = version
            waits = [asyncio.ensure_future(e.wait()) for e in (changed, drop)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        assert request.transport is not None
        request.transport.abort()
        return response


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[tuple[Server, ApiClient, Informer, list[str]]]:
    """A server, a client, a running informer, and the log of its events."""
    server, log = Server(), list[str]()
    await server.start()
    async with ApiClient(kubeconfig.Connection(f"http://127.0.0.1:{server.port}", token="secret")) as client:
        informer = Informer(client, PATH, on_event=lambda event, obj: log.append(f"{event} {obj['metadata']['uid']}"))
        task = asyncio.create_task(informer.run())
        try:
            async with asyncio.timeout(20):
                yield server, client, informer, log
        finally:
            task.cancel()
            await server.stop()


def versions(items: dict[str, Json]) -> dict[str, str]:
    return {name: obj["metadata"]["resourceVersion"] for name, obj in items.items()}


def test_it_follows_changes_one_event_each() -> None:
    async def scenario() -> None:
        async with world() as (server, _, informer, log):
            server.put("a")
            await informer.until(lambda items: "a" in items)
            server.put("a", size=2)
            server.put("b")
            server.remove("a")
            await informer.until(lambda items: list(items) == ["b"])
            assert log == ["ADDED a", "MODIFIED a", "ADDED b", "DELETED a"]
            assert server.lists == 1

    asyncio.run(scenario())


def test_what_a_list_brings_has_its_kind() -> None:
    async def scenario() -> None:
        server = Server()
        server.put("a")
        await server.start()
        async with ApiClient(kubeconfig.Connection(f"http://127.0.0.1:{server.port}")) as client:
            informer = Informer(client, PATH)
            task = asyncio.create_task(informer.run())
            await informer.synced.wait()
            assert (informer.items["a"]["kind"], informer.items["a"]["apiVersion"]) == ("Thing", "v1")
            task.cancel()
        await server.stop()

    asyncio.run(scenario())


def test_a_broken_watch_loses_and_repeats_nothing() -> None:
    async def scenario() -> None:
        async with world() as (server, _, informer, log):
            server.put("a")
            server.put("b")
            await informer.until(lambda items: len(items) == 2)
            server.drop()
            server.remove("a")
            server.put("b", size=2)
            server.put("c")
            await informer.until(lambda items: versions(items) == versions(server.objects))
            assert sorted(log) == ["ADDED a", "ADDED b", "ADDED c", "DELETED a", "MODIFIED b"]

    asyncio.run(scenario())


def test_a_restart_with_everything_gone_and_one_name_reused() -> None:
    async def scenario() -> None:
        async with world() as (server, _, informer, log):
            server.put("a", uid="old")
            server.put("b")
            await informer.until(lambda items: len(items) == 2)
            await server.stop()
            server.objects.clear()
            server.forget_history()
            server.version = 3  # a new server counts from the start
            server.put("a", uid="new")
            await server.start()
            await informer.until(lambda items: versions(items) == versions(server.objects))
            assert log == ["ADDED old", "ADDED b", "DELETED b", "DELETED old", "ADDED new"]
            server.put("c")
            await informer.until(lambda items: "c" in items)

    asyncio.run(scenario())


def test_an_expired_version_leads_to_a_fresh_list() -> None:
    async def scenario() -> None:
        async with world() as (server, _, informer, log):
            server.put("a")
            await informer.until(lambda items: "a" in items)
            await server.stop()
            server.remove("a")
            server.put("b")
            server.forget_history()
            await server.start()
            await informer.until(lambda items: list(items) == ["b"])
            server.put("c")
            await informer.until(lambda items: len(items) == 2)
            assert log == ["ADDED a", "DELETED a", "ADDED b", "ADDED c"]

    asyncio.run(scenario())


def test_our_own_write_is_seen_at_once_and_told_once() -> None:
    async def scenario() -> None:
        async with world() as (server, _, informer, log):
            await informer.synced.wait()
            first = server.put("a")
            second = server.put("a", size=2)
            informer.note(second)
            informer.note(first)  # an answer that was overtaken
            assert informer.items["a"] == second
            server.remove("a")
            await informer.until(lambda items: not items)
            informer.note(second)  # an answer that comes after the deletion
            assert informer.items == {}
            assert log == ["ADDED a", "DELETED a"]

    asyncio.run(scenario())


def test_very_long_lines_arrive() -> None:
    async def scenario() -> None:
        async with world() as (server, _, informer, _log):
            await informer.synced.wait()
            server.put("a", text="x" * 1_000_000)
            await informer.until(lambda items: "a" in items)
            assert len(informer.items["a"]["text"]) == 1_000_000

    asyncio.run(scenario())


def test_a_refusal_carries_the_status_and_requests_the_token() -> None:
    async def scenario() -> None:
        async with world() as (server, client, _, _log):
            with pytest.raises(ApiError) as caught:
                await client.create(PATH, {"why": "spec.ports: Required value"})
            assert (caught.value.status, caught.value.reason) == (422, "Invalid")
            assert caught.value.message == "spec.ports: Required value"
            assert {request.headers["Authorization"] for request in server.seen} == {"Bearer secret"}
            with pytest.raises(ApiError) as missing:
                await client.get("/nothing/here")
            assert missing.value.status == 404

    asyncio.run(scenario())


def test_an_unreachable_server_is_an_api_error_of_status_0() -> None:
    async def scenario() -> None:
        async with ApiClient(kubeconfig.Connection("http://127.0.0.1:1")) as client:
            with pytest.raises(ApiError) as caught:
                await client.get("/version")
            assert (caught.value.status, caught.value.reason) == (0, "Unreachable")

    asyncio.run(scenario())


def test_back_off_is_bounded_and_jittered() -> None:
    waits = [backoff(n) for n in range(1, 60)]
    assert all(0 < wait <= 3.0 for wait in waits)
    assert len({backoff(50) for _ in range(10)}) > 1


def test_keys_of_namespaced_and_cluster_objects() -> None:
    assert key({"metadata": {"namespace": "n", "name": "a"}}) == "n/a"
    assert key({"metadata": {"name": "a"}}) == "a"


def write_kubeconfig(folder: Path, user: Json, cluster: Json) -> Path:
    document = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://192.0.2.1:6443/", **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path = folder / "config"
    path.write_text(json.dumps(document))
    return path


def test_kubeconfig_material_inline_and_from_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"CA")
    (tmp_path / "token").write_text("t1\n")
    inline = base64.b64encode(b"CERT").decode()
    path = write_kubeconfig(
        tmp_path,
        {"client-certificate-data": inline, "client-key-data": inline, "tokenFile": "token"},
        {"certificate-authority": "ca.pem", "tls-server-name": "kubernetes"},
    )
    found = kubeconfig.from_file(path)
    assert (found.server, found.ca, found.certificate, found.key) == ("https://192.0.2.1:6443", b"CA", b"CERT", b"CERT")
    assert (found.bearer(), found.server_name) == ("t1", "kubernetes")
    (tmp_path / "token").write_text("t2\n")
    assert found.bearer() == "t2"
    assert "CERT" not in repr(found)


def test_kubeconfig_troubles_are_one_sentence(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path, {}, {"certificate-authority-data": "%%%"})
    troubles: list[tuple[Callable[[], kubeconfig.Connection], str]] = [
        (lambda: kubeconfig.from_file(tmp_path / "none"), "cannot be read"),
        (lambda: kubeconfig.from_file(path, "other"), "no context named 'other'"),
        (lambda: kubeconfig.from_file(path), "unusable certificate-authority"),
        (lambda: kubeconfig.in_cluster({}, tmp_path), "not in a pod"),
    ]
    for act, words in troubles:
        with pytest.raises(ClusterError, match=words):
            act()


def test_in_cluster_uses_the_mount_and_brackets_ipv6(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    found = kubeconfig.in_cluster({"KUBERNETES_SERVICE_HOST": "fd00:96::1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path)
    assert (found.server, found.bearer()) == ("https://[fd00:96::1]:443", "t")


def test_importing_the_client_does_not_import_aiohttp() -> None:
    code = "import sys, conformance.lab.client; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_changes_before_the_waiting_begins_is_not_missed() -> None:
    async def scenario() -> None:
        informer = Informer(ApiClient(kubeconfig.Connection("http://127.0.0.1:9")), PATH)
        change = asyncio.ensure_future(informer.changed())
        informer.note({"metadata": {"name": "a", "uid": "a", "resourceVersion": "1"}})
        async with asyncio.timeout(5):
            await change

    asyncio.run(scenario())
