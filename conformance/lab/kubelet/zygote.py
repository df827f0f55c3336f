"""The process that starts every container and every exec: small, single-threaded, so that a fork costs a millisecond.

The agent talks to it over a SOCK_SEQPACKET socket. A request is one message whose first descriptor is a memfd with the
JSON of ``spawn.Request`` and whose others are named in it. Answers are JSON: ``{"id", "pid"}`` and
``{"pid", "status"}`` (a wait status). A child that cannot be set up says why on its error pipe, which exec closes.
When the agent goes, everything that was started goes with it. Standard library only.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import selectors
import signal
import socket
import sys
from typing import Any

from conformance.lab import syscalls
from conformance.lab.kubelet import rootfs

_MAX_FDS = 16


def main() -> None:
    """Serve the socket whose descriptor is the only argument, until it closes."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    # A terminal's Ctrl-C or a supervisor's group signal is for the agent, which stops its pods in order.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    children: set[int] = set()
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            for ready, _ in selector.select():
                if ready.fileobj is channel:
                    if not _serve(channel, children):
                        _kill(children)
                        return
                else:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake_read, 4096)
                    _reap(channel, children)


def _serve(channel: socket.socket, children: set[int]) -> bool:
    ints = array.array("i")
    message, ancillary, _, _ = channel.recvmsg(
        256, socket.CMSG_SPACE(_MAX_FDS * ints.itemsize), socket.MSG_CMSG_CLOEXEC
    )
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            ints.frombytes(data[: len(data) - len(data) % ints.itemsize])
    if not message:
        return False
    fds = list(ints)
    try:
        with os.fdopen(os.dup(fds[0]), "rb") as memory:
            memory.seek(0)
            request = json.load(memory)
        pid = os.fork()
        if pid == 0:
            _become(request, fds)
        children.add(pid)
        channel.send(json.dumps({"id": request["id"], "pid": pid}).encode())
    finally:
        for fd in fds:
            os.close(fd)
    return True


def _reap(channel: socket.socket, children: set[int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in children:
            children.discard(pid)
            with contextlib.suppress(OSError):
                channel.send(json.dumps({"pid": pid, "status": status}).encode())


def _kill(children: set[int]) -> None:
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _become(request: dict[str, Any], fds: list[int]) -> None:
    """In the child: enter or make the namespaces, build the root, drop privileges, exec. Never returns."""
    error_fd = fds[request["error"]]
    stage = "set up"
    try:
        _session(request, fds)
        for kind in ("net", "mnt", "uts"):
            if kind in request["enter"]:
                syscalls.setns(fds[request["enter"][kind]])
        if request["root"] is not None:
            stage = "prepare the root"
            syscalls.unshare(syscalls.CLONE_NEWNS | syscalls.CLONE_NEWUTS)
            socket.sethostname(request["hostname"])
            rootfs.build(request["root"])
        stage = "enter the working directory"
        with contextlib.suppress(OSError):  # a runtime makes the folder; chdir says why it could not
            os.makedirs(request["cwd"], exist_ok=True)  # noqa: PTH103  (pathlib is not worth its import here)
        os.chdir(request["cwd"])
        stage = "drop privileges"
        _identity(request)
        stage = "exec"
        os.environ.clear()
        os.environ.update(request["env"])
        os.execvp(request["argv"][0], request["argv"])  # noqa: S606
    except (OSError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else 0
        with contextlib.suppress(OSError):
            os.write(error_fd, json.dumps({"stage": stage, "errno": number, "message": str(error)}).encode())
    finally:
        os._exit(127)


def _session(request: dict[str, Any], fds: list[int]) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in range(1, signal.NSIG):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
    os.umask(0o022)
    for target, index in enumerate(request["stdio"]):
        if fds[index] == target:
            os.set_inheritable(target, True)
        else:
            os.dup2(fds[index], target)
    if request["tty"]:
        import fcntl  # noqa: PLC0415  (terminals only)
        import termios  # noqa: PLC0415

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _identity(request: dict[str, Any]) -> None:
    keep = request["capabilities"]
    if keep is not None:
        syscalls.limit_capabilities(frozenset(keep), request["last_capability"])
    if request["groups"] is not None:
        os.setgroups(request["groups"])
    if request["gid"] is not None:
        os.setresgid(request["gid"], request["gid"], request["gid"])
    if request["uid"] is not None:
        os.setresuid(request["uid"], request["uid"], request["uid"])
    elif keep is not None:
        syscalls.set_capabilities(frozenset(keep))
    if request["no_new_privileges"]:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    # After the change of identity, which clears it.
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
