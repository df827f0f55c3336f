"""``python -m conformance.lab.launch.watchdog ORDER``: the process outside that takes the lab's files away.

It ends the lab when it is told to (SIGTERM) and when the lifeline closes without a word: the launcher is gone. When the
watchdog itself is killed, its own lifeline to the supervisor closes, and the supervisor does the same.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from conformance.lab.launch import cradle
from conformance.lab.launch.directory import Directory, Record
from conformance.lab.launch.spec import Order, report_failure

DETACH = b"detach"
"""What a launcher says on the lifeline before it leaves a lab that shall stay."""
STOP_SECONDS = 180.0
"""Within which it ends once told to: usually one, but to clear away 30,000 Services takes a kernel more than thirty."""


def main() -> None:
    """Start the supervisor, wait until it must end, clean up."""
    order = Order.decode(sys.argv[1])
    wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    # What is inherited is for us; the supervisor is given its own.
    for fd in order.descriptors:
        os.set_inheritable(fd, False)
    directory = Directory(order.path)
    os.chdir("/")  # nobody's folder is kept busy by a lab
    try:
        _watch(order, directory, wake)
    finally:
        directory.remove()


def _watch(order: Order, directory: Directory, wake: int) -> None:
    try:
        if order.user_namespace:
            cradle.become_root_of_a_user_namespace()
        else:
            cradle.children_in_a_pid_namespace()
    except cradle.Forbidden as error:
        report_failure(order.report, "environment", str(error), error.hint)
        return
    read, write = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _become_supervisor(replace(order, lifeline=read))
    try:
        for fd in (read, order.api, order.report):
            os.close(fd)
        version = order.real.binaries.version if order.real is not None else ""
        mode = order.proxy_mode.value
        directory.write(Record(os.getpid(), pid, time.time(), order.nodes, order.port, mode, version))
        _until_the_end(os.pidfd_open(pid), order.lifeline, wake)
    finally:
        # Killing the first process of a PID namespace ends all others, and its own end comes after theirs.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(write)


def _until_the_end(ended: int, lifeline: int, wake: int) -> None:
    with selectors.DefaultSelector() as selector:
        for fd in (ended, lifeline, wake):
            selector.register(fd, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == lifeline and os.read(lifeline, len(DETACH)) == DETACH:
                    selector.unregister(lifeline)
                else:
                    return


def _become_supervisor(order: Order) -> None:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        cradle.move_in(Path(order.directory))
        for fd in order.descriptors:
            os.set_inheritable(fd, True)
        module = "conformance.lab.supervisor"
        os.execv(sys.executable, [sys.executable, "-P", "-m", module, order.encode()])  # noqa: S606
    except cradle.Forbidden as error:
        report_failure(order.report, "environment", str(error), error.hint)
    except OSError as error:
        report_failure(order.report, "lab", f"The lab's supervisor cannot be started: {error}.", "Is Python intact?")
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
