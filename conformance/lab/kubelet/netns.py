"""Pod network namespaces: made by a short-lived thread, kept by a bind mount in /run/netns as ``ip netns`` does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from conformance.lab.kubelet import syscalls

T = TypeVar("T")

FOLDER = Path("/run/netns")
_NEW_NAMESPACE = {
    # The kernel's limits on ICMP errors would turn every other reject into a time-out (design, section 5).
    "net.ipv4.icmp_ratelimit": "0",
    "net.ipv4.icmp_msgs_per_sec": "1000000",
    "net.ipv6.icmp.ratelimit": "0",
    # Addresses are the agent's to give; waiting for duplicates takes a second.
    "net.ipv6.conf.all.accept_dad": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    # A node that routes between its pods tells them of the shorter way, past the node that translates their addresses.
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv6.conf.all.accept_redirects": "0",
    "net.ipv6.conf.default.accept_redirects": "0",
    # As containerd 2 does by default.
    "net.ipv4.ip_unprivileged_port_start": "0",
}


async def inside(namespace: Path | None, action: Callable[[], T]) -> T:
    """Run ``action`` in a thread of its own that is in ``namespace`` (None: a new one).

    The thread ends with the call: one that has changed its namespace must not go back to a pool.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        try:
            if namespace is None:
                syscalls.unshare(syscalls.CLONE_NEWNET)
            else:
                with namespace.open() as file:
                    syscalls.setns(file.fileno(), syscalls.CLONE_NEWNET)
            value = action()
        except BaseException as error:  # noqa: BLE001  (it is raised again where it is awaited)
            loop.call_soon_threadsafe(settle, None, error)
        else:
            loop.call_soon_threadsafe(settle, value, None)

    threading.Thread(target=run, name="netns", daemon=True).start()
    return await asyncio.shield(result)


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


def set_sysctl(name: str, value: str) -> None:
    """Write one sysctl of the calling thread's network namespace; a slash in ``name`` stands for a dot in a part."""
    path = Path("/proc/sys") / name.translate(str.maketrans("./", "/."))
    path.write_text(value)


def remove(path: Path) -> None:
    """Let go of the namespace at ``path``; the kernel removes it with its last process."""
    with contextlib.suppress(OSError):
        syscalls.umount(str(path), syscalls.MNT_DETACH)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
