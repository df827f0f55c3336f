"""The agent's side of the zygote: start a process in namespaces, know how it ended, signal it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.lab import syscalls
from conformance.lab.kubelet.rootfs import Step


class SpawnError(Exception):
    """The process could not be started; ``missing`` when its program or working directory is not there."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Privileges:
    """What a process may do. ``capabilities`` None keeps them all; ids None stay root's."""

    capabilities: frozenset[int] | None = None
    no_new_privileges: bool = False
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One process: what to exec, as whom, and in which root (None: that of the entered mount namespace)."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str = "/"
    privileges: Privileges = Privileges()
    root: tuple[Step, ...] | None = None
    hostname: str = ""
    tty: bool = False


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Open namespaces (``/proc/PID/ns``) to enter, as file descriptors; None stays where the agent is."""

    net: int | None = None
    mnt: int | None = None
    uts: int | None = None


class Process:
    """A started process: the leader of its own session and process group."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self.status.done()

    async def wait(self) -> int:
        """Its return code once it has ended: negative for the signal that killed it."""
        return os.waitstatus_to_exitcode(await asyncio.shield(self.status))

    def signal(self, number: signal.Signals) -> None:
        """Signal its process group, also what the leader left behind there."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


class Spawner:
    """The zygote and everything that was started through it. ``state`` is a folder of ours."""

    def __init__(self, state: Path) -> None:
        self.lost = asyncio.Event()
        self._mount_point = state / "root"
        self._ids = itertools.count(1)
        self._starting: dict[int, asyncio.Future[Process]] = {}
        self._running: dict[int, Process] = {}
        self._last_capability = syscalls.last_capability()
        self._channel: socket.socket | None = None
        self._zygote: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Start the zygote."""
        self._mount_point.mkdir(parents=True, exist_ok=True)
        self._channel, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # -S -E: the zygote needs nothing but the standard library and this package.
        self._zygote = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _ZYGOTE, str(_ROOT), str(far.fileno())],
            pass_fds=[far.fileno()],
            stdin=subprocess.DEVNULL,
        )
        far.close()
        asyncio.get_running_loop().add_reader(self._channel.fileno(), self._answer)

    def close(self) -> None:
        """End the zygote and with it every process that still runs."""
        if self._channel is None or self._zygote is None:
            return
        asyncio.get_running_loop().remove_reader(self._channel.fileno())
        self._channel.close()
        self._channel = None
        self._zygote.wait()

    async def spawn(self, request: Request, namespaces: Namespaces, stdio: tuple[int, int, int]) -> Process:
        """Start ``request`` with ``stdio`` as its descriptors 0, 1, 2 (they stay ours to close); ``SpawnError``."""
        if self._channel is None:
            raise SpawnError("the node agent is stopping")
        loop = asyncio.get_running_loop()
        error_read, error_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        memory = os.memfd_create("request")
        try:
            number = next(self._ids)
            fds = [memory, error_write, *stdio]
            document = self._document(request, namespaces, fds) | {"id": number}
            with os.fdopen(os.dup(memory), "wb") as file:
                file.write(json.dumps(document).encode())
            started: asyncio.Future[Process] = loop.create_future()
            self._starting[number] = started
            socket.send_fds(self._channel, [b"spawn"], fds)
            os.close(error_write)
            error_write = -1
            process = await started
            try:
                failure = await _read_all(error_read)
            except asyncio.CancelledError:
                process.signal(signal.SIGKILL)
                raise
        finally:
            os.close(memory)
            os.close(error_read)
            if error_write >= 0:
                os.close(error_write)
        if failure:
            await process.wait()
            raise _spawn_error(request, json.loads(failure))
        return process

    def _document(self, request: Request, namespaces: Namespaces, fds: list[int]) -> dict[str, Any]:
        enter: dict[str, int] = {}
        for kind, fd in (("net", namespaces.net), ("mnt", namespaces.mnt), ("uts", namespaces.uts)):
            if fd is not None:
                enter[kind] = len(fds)
                fds.append(fd)
        privileges = request.privileges
        keep = privileges.capabilities
        return {
            "argv": list(request.argv),
            "env": dict(request.env),
            "cwd": request.cwd,
            "hostname": request.hostname,
            "tty": request.tty,
            "root": None if request.root is None else {"at": str(self._mount_point), "steps": request.root},
            "enter": enter,
            "error": 1,
            "stdio": [2, 3, 4],
            "capabilities": None if keep is None else sorted(keep),
            "last_capability": self._last_capability,
            "no_new_privileges": privileges.no_new_privileges,
            "uid": privileges.uid,
            "gid": privileges.gid,
            "groups": privileges.groups,
        }

    def _answer(self) -> None:
        if self._channel is None:
            return
        message = self._channel.recv(4096)
        if not message:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self.lost.set()
            return
        answer = json.loads(message)
        if "id" in answer:
            process = Process(answer["pid"])
            self._running[process.pid] = process
            started = self._starting.pop(answer["id"])
            if started.cancelled():
                process.signal(signal.SIGKILL)
            else:
                started.set_result(process)
        else:
            self._running.pop(answer["pid"]).status.set_result(answer["status"])


_ROOT = Path(__file__).resolve().parents[3]
_ZYGOTE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from conformance.lab.kubelet import zygote; zygote.main()"


async def _read_all(fd: int) -> bytes:
    """Everything that comes out of the pipe until its last writer has closed it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()
    parts: list[bytes] = []

    def readable() -> None:
        chunk = os.read(fd, 65536)
        if chunk:
            parts.append(chunk)
        elif not done.done():
            done.set_result(b"".join(parts))

    loop.add_reader(fd, readable)
    try:
        return await done
    finally:
        loop.remove_reader(fd)


def _spawn_error(request: Request, failure: dict[str, Any]) -> SpawnError:
    missing = failure["stage"] == "exec" and isinstance(OSError(failure["errno"], ""), FileNotFoundError)
    if missing:
        return SpawnError(f'exec: "{request.argv[0]}": executable file not found in $PATH', missing=True)
    return SpawnError(f"cannot {failure['stage']}: {failure['message']}")
