"""The lab's long-running processes: started in their namespaces, logged, reaped, and started again when they end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from conformance.lab.forkserver import ForkServer

API = "api"
"""The component whose memory is the cluster."""

FORK_SERVER = "forkserver"
"""The component from which all others come."""

_log = logging.getLogger(__name__)
_PAUSES = (0.2, 10.0)  # before the first new start, and at most
_HEALTHY_SECONDS = 30.0  # who lived so long starts again with the first pause
_TAIL_LINES = 8


@dataclass(frozen=True, slots=True)
class Component:
    """A command of ours as a process: ``entry`` is ``module:function``, without arguments and with an exit code.

    ``node`` is the network namespace it runs in (empty: the supervisor's).
    """

    name: str
    entry: str
    arguments: tuple[str, ...]
    node: str = ""
    descriptors: tuple[int, ...] = ()


_FORK_SERVER = Component(FORK_SERVER, "conformance.lab.forkserver:main", ())


class Processes:
    """Every process below the supervisor, which as PID 1 also inherits everybody's orphans.

    ``ended`` is called, in the event loop, with a component that ended and its exit code; what it returns says whether
    to start it again.
    """

    def __init__(self, logs: Path, ended: Callable[[Component, int], bool]) -> None:
        self._logs = logs
        self._forks = ForkServer()
        self._ended = ended
        self._running: dict[int, tuple[Component, float, float]] = {}
        self._awaited: dict[int, asyncio.Future[int]] = {}

    def adopt(self) -> None:
        """Begin to reap; needs a running event loop."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def load(self, *entries: str) -> None:
        """Prepare to start these, in the background."""
        self._forks.load(*entries)

    async def run(self, component: Component) -> int:
        """Start it, wait for its end; its exit code."""
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited[self._fork(component)] = ended
        return await ended

    def start(self, component: Component, pause: float = _PAUSES[0]) -> None:
        """Start it; ``pause`` seconds will pass before it is started once more."""
        self._running[self._fork(component)] = component, time.monotonic(), pause

    def _fork(self, component: Component) -> int:
        with self.log(component.name).open("ab") as log:
            return self._forks.fork(
                component.name,
                component.entry,
                component.arguments,
                component.node,
                log.fileno(),
                component.descriptors,
            )

    def log(self, name: str) -> Path:
        """The log of the component ``name``."""
        return self._logs / f"{name}.log"

    def tail(self, name: str) -> str:
        """The last lines of its log, indented below the sentence that quotes them."""
        with contextlib.suppress(FileNotFoundError):
            lines = self.log(name).read_text(errors="replace").splitlines()[-_TAIL_LINES:]
            return "\n".join(f"    {line}" for line in lines)
        return ""

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            if pid == self._forks.pid:
                self._gone(_FORK_SERVER, 0.0, 0.0, code)
            elif pid in self._awaited:
                self._awaited.pop(pid).set_result(code)
            elif pid in self._running:
                self._gone(*self._running.pop(pid), code)

    def _gone(self, component: Component, since: float, pause: float, code: int) -> None:
        _log.warning("%s ended with %s", component.name, code)
        if not self._ended(component, code):
            return
        if time.monotonic() - since > _HEALTHY_SECONDS:
            pause = _PAUSES[0]
        asyncio.get_running_loop().call_later(pause, self.start, component, min(pause * 2, _PAUSES[1]))
