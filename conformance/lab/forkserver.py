"""One process that has imported what the lab's components need, and forks them: a lab starts in half the time.

A child of the fork server is orphaned at once and so becomes the supervisor's, which as PID 1 inherits every orphan.
"""

from __future__ import annotations

import array
import ctypes
import gc
import importlib
import json
import os
import socket
import subprocess
import sys
import traceback
from typing import Any, NoReturn

from conformance.lab import netns, syscalls

_PR_SET_NAME = 15
_LONGEST = 65536
_MAX_FDS = 8
_PARKING = 100  # beyond any descriptor that is asked for


class ForkServer:
    """The supervisor's side."""

    def __init__(self) -> None:
        self._channel, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            server = subprocess.Popen(
                [sys.executable, "-P", "-m", "conformance.lab.forkserver", str(far.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[far.fileno()],
            )
        self.pid = server.pid
        server.returncode = 0  # its end is told by whoever reaps everything

    def load(self, *entries: str) -> None:
        """Import what the entries need, before they are asked for; returns at once."""
        self._channel.send(json.dumps({"load": entries}).encode())

    def fork(self, name: str, entry: str, arguments: tuple[str, ...], node: str, log: int, fds: tuple[int, ...]) -> int:
        """The PID of a process that calls ``entry`` (``module:function``) with the command line ``arguments``.

        It runs in the network namespace ``node`` (empty: here), writes to ``log``, and has ``fds`` under the same
        numbers. ``OSError`` when the fork server is gone.
        """
        request = {"name": name, "entry": entry, "arguments": arguments, "node": node, "fds": fds}
        socket.send_fds(self._channel, [json.dumps(request).encode()], [log, *fds])
        answer = self._channel.recv(_LONGEST)
        if not answer:
            raise ConnectionResetError("the fork server has ended")
        return int(answer)


def main() -> None:
    """Serve the socket whose descriptor is the only argument, until it closes."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    while True:
        message, received = _receive(channel)
        if not message:
            return
        request = json.loads(message)
        for entry in request.get("load", [request.get("entry")]):
            importlib.import_module(entry.partition(":")[0])
        if "load" in request:
            continue
        # What has been imported is for all: the collector must not write to its pages in every child.
        gc.freeze()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            grandchild = os.fork()
            if grandchild == 0:
                _run(request, received)
            os.write(write, str(grandchild).encode())
            os._exit(0)
        os.waitpid(child, 0)
        channel.send(os.read(read, 32))
        for fd in (read, write, *received):
            os.close(fd)


def _receive(channel: socket.socket) -> tuple[bytes, list[int]]:
    fds = array.array("i")
    message, ancillary, _, _ = channel.recvmsg(_LONGEST, socket.CMSG_SPACE(_MAX_FDS * fds.itemsize))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return message, fds.tolist()


def _run(request: dict[str, Any], received: list[int]) -> NoReturn:
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_PR_SET_NAME, request["name"].encode()[:15])
        if request["node"]:
            with (netns.NAMED / request["node"]).open("rb") as target:
                syscalls.setns(target.fileno(), syscalls.CLONE_NEWNET)
        # First out of the way of the numbers that they must have in the end.
        parked = [os.dup2(fd, _PARKING + place) for place, fd in enumerate(received)]
        os.closerange(3, _PARKING)
        for fd, number in zip(parked, [1, *request["fds"]], strict=True):
            os.dup2(fd, number)
            os.close(fd)
        os.dup2(1, 2)
        module, _, function = request["entry"].partition(":")
        sys.argv = [module, *request["arguments"]]
        code = getattr(sys.modules[module], function)() or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:  # noqa: BLE001  (this is the process's outermost frame: the interpreter would do the same)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
