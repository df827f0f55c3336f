"""Holding up a lab's kube-proxies from outside: they miss nothing, and catch up at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from conformance.lab.addons import PROXY_FOLDER
from conformance.lab.launch.directory import Directory, required


@contextmanager
def proxies_stopped(folder: Path) -> Iterator[None]:
    """Every kube-proxy, real or not, of the lab in ``folder`` is stopped (SIGSTOP) for the time of the block.

    One that starts meanwhile is not. ``LabError`` when no lab runs there.
    """
    supervisor = required(Directory(folder)).supervisor
    with ExitStack() as stack:
        for proxy in _proxies(supervisor):
            stack.callback(os.close, proxy)
            _send(proxy, signal.SIGSTOP)
            stack.callback(_send, proxy, signal.SIGCONT)
        yield


def _proxies(supervisor: int) -> Iterator[int]:
    """A descriptor of each process in the supervisor's PID namespace that reads kube-proxy's configuration."""
    lab = _pid_namespace(supervisor)
    for pid in [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]:
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):  # it ended, or is another user's
            if _pid_namespace(pid) == lab and f"{PROXY_FOLDER}/config.conf" in Path(f"/proc/{pid}/cmdline").read_text():
                yield os.pidfd_open(pid)


def _pid_namespace(pid: int) -> int:
    return Path(f"/proc/{pid}/ns/pid").stat().st_ino


def _send(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, number)
