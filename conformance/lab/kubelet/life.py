"""One life of a container: its process, the namespaces to enter it, its log; and how to end all of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.lab.kubelet import pipes
from conformance.lab.kubelet.logs import LogFile
from conformance.lab.kubelet.spawn import Namespaces, Process, Request, Spawner, SpawnError

_DRAIN_SECONDS = 1.0


@dataclass(slots=True)
class Life:
    """A running container. ``request`` is how it was started; execs inherit from it."""

    spawner: Spawner
    request: Request
    process: Process
    namespaces: Namespaces
    log: LogFile
    captures: tuple[asyncio.Task[None], ...]

    @classmethod
    async def begin(cls, spawner: Spawner, request: Request, net: int | None, log: LogFile) -> Life:
        """Start the container's process; ``SpawnError``."""
        out, child_out = pipes.pipe_from()
        err, child_err = pipes.pipe_from()
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            process = await spawner.spawn(request, Namespaces(net=net), (null, child_out, child_err))
        except (SpawnError, asyncio.CancelledError):
            os.close(out)
            os.close(err)
            log.close()
            raise
        finally:
            for fd in (null, child_out, child_err):
                os.close(fd)
        captures = (
            asyncio.create_task(_capture(log, out, "stdout")),
            asyncio.create_task(_capture(log, err, "stderr")),
        )
        # A process that has already ended has no namespaces any more; nobody can exec into it then.
        entered = Namespaces(net, _namespace(process, "mnt"), _namespace(process, "uts"))
        return cls(spawner, request, process, entered, log, captures)

    async def exec(
        self, argv: Sequence[str], stdio: tuple[int, int, int], *, tty: bool = False, term: str = ""
    ) -> Process:
        """Start another process in the container; ``SpawnError``."""
        if self.namespaces.mnt is None or not self.process.running:
            raise SpawnError("the container is not running")
        environment: Mapping[str, str] = {**self.request.env, "TERM": term} if term else self.request.env
        request = replace(self.request, argv=argv, env=environment, root=None, tty=tty)
        return await self.spawner.spawn(request, self.namespaces, stdio)

    async def run(self, argv: Sequence[str], seconds: float) -> int | None:
        """The exit code of a command without input or output; None when it did not end in time and was killed."""
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            process = await self.exec(argv, (null, null, null))
        except SpawnError:
            return 126
        finally:
            os.close(null)
        try:
            async with asyncio.timeout(seconds):
                return await process.wait()
        except TimeoutError:
            return None
        finally:
            if process.running:
                process.signal(signal.SIGKILL)

    async def finish(self) -> int:
        """Wait for the main process; then end what it left behind, complete the log. Its return code."""
        code = await self.process.wait()
        for pid in self._others():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await asyncio.wait(self.captures, timeout=_DRAIN_SECONDS)
        for task in self.captures:
            task.cancel()
        await asyncio.gather(*self.captures, return_exceptions=True)
        self.log.close()
        for fd in (self.namespaces.mnt, self.namespaces.uts):
            if fd is not None:
                os.close(fd)
        self.namespaces = Namespaces()
        return code

    def _others(self) -> list[int]:
        """Processes that are still in the container's mount namespace: daemons and execs."""
        if self.namespaces.mnt is None:
            return []
        own = os.fstat(self.namespaces.mnt)
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    stat = (entry / "ns/mnt").stat()
                    if (stat.st_dev, stat.st_ino) == (own.st_dev, own.st_ino):
                        found.append(int(entry.name))
        return found


async def _capture(log: LogFile, fd: int, stream: str) -> None:
    try:
        await log.capture(fd, stream)
    finally:
        os.close(fd)


def _namespace(process: Process, kind: str) -> int | None:
    try:
        return os.open(f"/proc/{process.pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
