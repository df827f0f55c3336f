"""Runs on a node, with the node's network: holds a table of its own there while ``nft monitor trace`` is read.

Standard library only, sent over stdin. The first line is a JSON list of nft's commands; afterwards ``beacon PORT``
sends a datagram to that port of the loopback address. What the monitor prints is printed; ``error ...`` says why there
is nothing to print. The end of stdin ends it, and so do SIGTERM and `LONGEST`.

The table belongs to the process that made it (``flags owner``, Linux 5.12): the kernel takes it away when that process
is gone, however it went. Both of nft's processes die with this one (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

LONGEST = 60
"""Seconds: longer than any dial; a connection that was lost without a word ends with it."""
SBIN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PR_SET_PDEATHSIG = 1


def roots() -> list[str]:
    """Where an nft may be: here, on the node, and in kube-proxy's container.

    Anybody may call a process so, and would have his nft run here: kube-proxy is the one on the node's own network.
    """
    found = ["/", "/proc/1/root"]
    for number in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208  python 3.8 and nothing else
        try:
            with open(f"/proc/{number}/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                name = file.read().strip()
            if name == "kube-proxy" and os.path.samefile(f"/proc/{number}/ns/net", "/proc/self/ns/net"):  # noqa: PTH121
                found.append(f"/proc/{number}/root")
        except OSError:
            continue
    return found


def nft() -> tuple[str, str] | None:
    """The root in which there is an nft, and its path there; None where there is none."""
    for root in roots():
        path = ":".join(f"{root.rstrip('/')}{folder}" for folder in SBIN.split(":"))
        program = shutil.which("nft", path=path)
        if program:
            return root, program[len(root.rstrip("/")) :]
    return None


def start(where: tuple[str, str], *words: str) -> subprocess.Popen[bytes]:
    """nft in its root, which dies with this process."""
    root, program = where
    libc = ctypes.CDLL(None)

    def enter() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if root != "/":
            os.chroot(root)
            os.chdir("/")

    return subprocess.Popen(
        [program, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=enter,  # noqa: PLW1509  before any thread is started
        env={"PATH": SBIN},
    )


def say(text: str) -> None:
    """One line to whoever reads."""
    os.write(1, (text.rstrip("\n") + "\n").encode("utf-8", "replace"))


def relay(process: subprocess.Popen[bytes], prefix: str) -> None:
    """Pass on what a process prints."""
    for line in process.stdout or ():
        text = line.decode("utf-8", "replace").strip()
        if text and text != "nft>":
            say(prefix + text)


def main() -> None:
    """Trace until stdin ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(0))
    signal.alarm(LONGEST)
    where = nft()
    if where is None:
        say("error there is no nft on the node")
        return
    source = os.fdopen(0, "rb", buffering=0)
    commands = json.loads(source.readline())
    monitor, holder = start(where, "monitor", "trace"), start(where, "-i")
    for process, prefix in ((monitor, ""), (holder, "error ")):
        threading.Thread(target=relay, args=(process, prefix), daemon=True).start()
    try:
        assert holder.stdin
        for command in commands:
            holder.stdin.write(command.encode() + b"\n")
        holder.stdin.flush()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as beacon:
            for line in iter(source.readline, b""):
                word, _, port = line.decode().partition(" ")
                if word == "beacon":
                    beacon.sendto(b"", ("127.0.0.1", int(port)))
    finally:
        for process in (holder, monitor):
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
