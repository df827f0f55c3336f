"""Pod network namespaces: made by a short-lived thread, kept by a bind mount in /run/netns as ``ip netns`` does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from conformance.lab import syscalls
from conformance.lab.netns import HOST_SYSCTLS, set_sysctl

T = TypeVar("T")

_NEW_NAMESPACE = {
    **HOST_SYSCTLS,
    # As containerd 2 does by default.
    "net.ipv4.ip_unprivileged_port_start": "0",
}


async def inside(namespace: Path | None, action: Callable[[], T]) -> T:
    """Run ``action`` in a thread of its own that is in ``namespace`` (None: a new one).

    The thread ends with the call: one that has changed its namespace must not go back to a pool.
    """

    def run() -> T:
        if namespace is None:
            syscalls.unshare(syscalls.CLONE_NEWNET)
        else:
            with namespace.open() as file:
                syscalls.setns(file.fileno(), syscalls.CLONE_NEWNET)
        return action()

    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="netns")
    try:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(executor, run))
    finally:
        executor.shutdown(wait=False)


async def create(path: Path, sysctls: Mapping[str, str]) -> None:
    """Make a network namespace at ``path`` with ``lo`` up to the caller; OSError when a sysctl is refused."""

    def fill() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o444)
        # /proc/thread-self is absent where /proc belongs to another PID namespace.
        own = f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"
        syscalls.mount(own, str(path), flags=syscalls.MS_BIND)
        for name, value in _NEW_NAMESPACE.items():
            with contextlib.suppress(OSError):  # not every kernel has each of them per namespace
                set_sysctl(name, value)
        for name, value in sysctls.items():
            set_sysctl(name, value)

    await inside(None, fill)


def remove(path: Path) -> None:
    """Let go of the namespace at ``path``; the kernel removes it with its last process."""
    with contextlib.suppress(OSError):
        syscalls.umount(str(path), syscalls.MNT_DETACH)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
