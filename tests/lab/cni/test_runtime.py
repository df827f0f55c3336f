"""The runtime with plugins that note what they are told: order, results, failures, and what is left behind."""

from __future__ import annotations

import asyncio
import errno
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conformance.lab.cni import conf
from conformance.lab.cni.cache import Cache, Cached
from conformance.lab.cni.execution import Attachment, PluginError, Plugins
from conformance.lab.cni.runtime import Runtime

Json = dict[str, Any]

_PLUGIN = """#!{python} -SE
import json, os, sys
name, command, config = os.path.basename(sys.argv[0]), os.environ["CNI_COMMAND"], json.load(sys.stdin)
told = {{key: os.environ.get("CNI_" + key) for key in ("CONTAINERID", "NETNS", "IFNAME", "ARGS")}}
with open("{log}", "a") as log:
    log.write(json.dumps([name, command, config, told]) + "\\n")
if config.get("fails") == command:
    print(json.dumps({{"cniVersion": "1.1.0", "code": 7, "msg": "broken"}}))
    sys.exit(1)
if config.get("babbles") == command:
    sys.exit(print("hello"))
if command == "ADD":
    before = config.get("prevResult") or {{"cniVersion": "1.1.0", "ips": []}}
    print(json.dumps({{**before, "ips": [*before["ips"], {{"address": "10.0.0.%d/24" % (len(before["ips"]) + 1)}}]}}))
"""


class Stage:
    """Plugins ``one`` and ``two``, and what they noted."""

    def __init__(self, folder: Path, *plugins: Json, version: str = "1.1.0", **more: object) -> None:
        self._log = folder / "log"
        for name in ("one", "two"):
            path = folder / name
            path.write_text(_PLUGIN.format(python=sys.executable, log=self._log))
            path.chmod(0o755)
        self.network = conf.of({"cniVersion": version, "name": "n", "plugins": list(plugins), **more})
        self.folder = folder
        self.runtime = self.again()

    def again(self, **network: object) -> Runtime:
        """A runtime after a restart, perhaps with another configuration."""
        found = conf.of({"cniVersion": "1.1.0", "name": "n", **network}) if network else self.network
        return Runtime(found, Plugins((str(self.folder),)), Cache(self.folder / "results"))

    @property
    def notes(self) -> list[tuple[str, str, Json, Json]]:
        """Plugin, command, configuration and parameters of each call."""
        return [tuple(json.loads(line)) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    @property
    def calls(self) -> list[str]:
        """Plugin and command of each call."""
        return [f"{name} {command}" for name, command, _, _ in self.notes]


def a_pod(folder: Path, name: str = "c1") -> Attachment:
    (folder / name).touch()
    return Attachment(name, "eth0", str(folder / name), "IgnoreUnknown=1")


def test_a_chain_is_added_in_order_and_deleted_in_reverse_with_what_was_cached(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"type": "one", "capabilities": {"mac": True}}, {"type": "two"})
    pod = a_pod(tmp_path)

    async def life() -> Json:
        added = await stage.runtime.add(pod, {"mac": "02:00:00:00:00:01"})
        await stage.runtime.check(pod)
        # Another agent, another configuration: what ADD was told counts.
        await stage.again(plugins=[{"type": "two", "fails": "DEL"}]).delete(pod)
        return added

    added = asyncio.run(life())
    assert [one["address"] for one in added["ips"]] == ["10.0.0.1/24", "10.0.0.2/24"]
    assert stage.calls == ["one ADD", "two ADD", "one CHECK", "two CHECK", "two DEL", "one DEL"]
    configs = [config for _, _, config, _ in stage.notes]
    assert [len(config.get("prevResult", {}).get("ips", ())) for config in configs] == [0, 1, 2, 2, 2, 2]
    assert [config.get("runtimeConfig") for config in configs[::5]] == [{"mac": "02:00:00:00:00:01"}] * 2
    assert stage.notes[0][3] == {"CONTAINERID": "c1", "NETNS": pod.namespace, "IFNAME": "eth0", "ARGS": pod.arguments}
    assert not list((tmp_path / "results").iterdir())


@pytest.mark.parametrize(
    ("how", "words"), [("fails", "broken [code 7]"), ("babbles", "it answered 'hello', which is no JSON")]
)
def test_what_fails_in_the_middle_is_undone(tmp_path: Path, how: str, words: str) -> None:
    stage = Stage(tmp_path, {"type": "one"}, {"type": "two", how: "ADD"})
    with pytest.raises(PluginError) as caught:
        asyncio.run(stage.runtime.add(a_pod(tmp_path), {}))
    assert str(caught.value) == f"CNI plugin two failed at ADD: {words}"
    assert stage.calls == ["one ADD", "two ADD", "two DEL", "one DEL"]
    assert not list((tmp_path / "results").iterdir())


class Full(Cache):
    """A disk that has room for what was told to ADD, but not for what it said."""

    def write(self, cached: Cached) -> None:
        if cached.result is not None:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(cached)


def test_what_cannot_be_remembered_is_undone(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"type": "one"})
    runtime = Runtime(stage.network, Plugins((str(tmp_path),)), Full(tmp_path / "results"))
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(runtime.add(a_pod(tmp_path), {}))
    assert stage.calls == ["one ADD", "one DEL"]
    assert not list((tmp_path / "results").iterdir())


def test_what_a_killed_agent_left_is_deleted_without_its_namespace_and_collected(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"type": "one"})
    gone, stays = a_pod(tmp_path, "gone"), a_pod(tmp_path, "stays")

    async def life() -> None:
        await stage.runtime.add(gone, {})
        await stage.runtime.add(stays, {})
        Path(gone.namespace).unlink()
        await stage.again().collect([stays])

    asyncio.run(life())
    assert stage.calls[2:] == ["one DEL", "one GC"]
    _, _, config, told = stage.notes[2]
    assert (told["CONTAINERID"], told["NETNS"]) == ("gone", "")
    assert len(config["prevResult"]["ips"]) == 1
    assert stage.notes[3][2]["cni.dev/valid-attachments"] == [{"containerID": "stays", "ifname": "eth0"}]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["stays-eth0.json"]


def test_a_failed_delete_can_be_asked_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"type": "one", "fails": "DEL"})
    pod = a_pod(tmp_path)

    async def life() -> None:
        await stage.runtime.add(pod, {})
        for _ in range(2):
            with pytest.raises(PluginError, match="failed at DEL"):
                await stage.runtime.delete(pod)

    asyncio.run(life())
    assert stage.calls == ["one ADD", "one DEL", "one DEL"]


@pytest.mark.parametrize(
    ("version", "more", "asked"),
    [
        ("1.1.0", {}, ["one STATUS", "one ADD", "one CHECK", "one DEL", "one GC"]),
        ("1.1.0", {"disableGC": True, "disableCheck": True}, ["one STATUS", "one ADD", "one DEL"]),
        ("1.0.0", {}, ["one ADD", "one CHECK", "one DEL"]),
        ("0.3.1", {}, ["one ADD", "one DEL"]),
    ],
)
def test_each_version_is_asked_what_it_knows(tmp_path: Path, version: str, more: Json, asked: list[str]) -> None:
    stage = Stage(tmp_path, {"type": "one"}, version=version, **more)
    pod = a_pod(tmp_path)

    async def life() -> None:
        await stage.runtime.status()
        await stage.runtime.add(pod, {})
        await stage.runtime.check(pod)
        await stage.runtime.delete(pod)
        await stage.runtime.collect(())

    asyncio.run(life())
    assert stage.calls == asked
    deleted = next(config for _, command, config, _ in stage.notes if command == "DEL")
    assert ("prevResult" in deleted) is (version != "0.3.1")


def test_a_plugin_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    (tmp_path / "slow").write_text(f"#!/bin/sh\nsleep 1000 & echo $! > {pid}; wait\n")
    (tmp_path / "slow").chmod(0o755)
    began = time.monotonic()
    with pytest.raises(PluginError, match=r"slow failed at ADD: no answer within 0\.5 s"):
        asyncio.run(Plugins((str(tmp_path),), seconds=0.5).run("slow", "ADD", {}))
    assert time.monotonic() - began < 100
    state = Path(f"/proc/{pid.read_text().strip()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] in ("Z", "X")


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("#!/bin/sh\n", 0o644, "Permission denied"),
        ("\x7fELFnonsense", 0o755, "cannot be run"),
        (None, 0, "it is not in"),
    ],
)
def test_a_program_that_is_none(tmp_path: Path, content: str | None, mode: int, words: str) -> None:
    if content is not None:
        (tmp_path / "bad").write_text(content)
        (tmp_path / "bad").chmod(mode)
    with pytest.raises(PluginError, match=words):
        asyncio.run(Plugins((str(tmp_path),)).run("bad", "ADD", {}))
