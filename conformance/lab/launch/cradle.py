"""Into new namespaces: what happens between the watchdog's fork and the supervisor's first line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from conformance.lab import netns, syscalls

_RESTRICTIONS = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
)


class Forbidden(Exception):
    """The kernel refuses namespaces; ``hint`` says what would help."""

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.hint = hint


def become_root_of_a_user_namespace() -> None:
    """Root in a new user namespace that maps only the caller; children start a new PID namespace. `Forbidden`."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        syscalls.unshare(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWPID)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        raise _forbidden("User namespaces are forbidden here", error) from error


def children_in_a_pid_namespace() -> None:
    """As root: children start a new PID namespace. `Forbidden`."""
    try:
        syscalls.unshare(syscalls.CLONE_NEWPID)
    except OSError as error:
        raise _forbidden("Root may not make namespaces here", error) from error


def move_in(directory: Path) -> None:
    """As the first process of the PID namespace: mounts and a network of our own. `Forbidden`.

    ``/run`` becomes ours (``/run/netns`` and iptables' lock are there, and only root may write in the machine's), and
    so does ``run`` in ``directory``.
    """
    try:
        syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWNET)
        syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
        kept = syscalls.clone_tree(str(directory))
        _tmpfs("/run", "mode=0755")
        if not directory.exists():
            directory.mkdir(parents=True)
            syscalls.attach_tree(kept, str(directory))
        os.close(kept)
        netns.NAMED.mkdir()
        (directory / "run").mkdir(exist_ok=True)
        _tmpfs(str(directory / "run"), "mode=0700")
    except OSError as error:
        raise _forbidden("The lab may not make its own mounts and network here", error) from error
    try:
        syscalls.mount("proc", "/proc", "proc", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC)
    except OSError as error:
        raise Forbidden(
            f"The lab may not mount its own /proc here ({error.strerror}).",
            "In a container, unmask /proc ('docker run --security-opt systempaths=unconfined') or use --privileged.",
        ) from error


def _tmpfs(target: str, data: str) -> None:
    syscalls.mount("tmpfs", target, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, data)


def _forbidden(what: str, error: OSError) -> Forbidden:
    for name, bad, good in _RESTRICTIONS:
        path = Path("/proc/sys", *name.split("."))
        if path.exists() and path.read_text().strip() == bad:
            return Forbidden(f"{what}: {name} is {bad}.", f"Run as root, or allow them: 'sysctl -w {name}={good}'.")
    if error.errno == errno.ENOSPC:
        return Forbidden(
            f"{what}: their limit is reached.", "Raise user.max_user_namespaces and user.max_net_namespaces."
        )
    return Forbidden(
        f"{what} ({error.strerror}).",
        "Run as root; in a container, run it with --privileged or with a seccomp profile that allows unshare.",
    )
