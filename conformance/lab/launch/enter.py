"""Running a command inside a lab from outside: on a node, an external client or in a pod, as ``nsenter`` would."""

from __future__ import annotations

import glob
import os
import select
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from conformance.errors import EnvironmentFault, LabError, UsageError
from conformance.lab import netns, syscalls
from conformance.lab.addresses import AddressPlan
from conformance.lab.launch.directory import Directory, Record, required
from conformance.lab.launch.preflight import search_path

_FORWARDED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_FROM_THE_KERNEL = 0x80  # SI_KERNEL: a terminal's Ctrl-C, which reaches the command by itself
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_NAMESPACES = ("user", "pid", "mnt", "net")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command runs: the namespaces to enter (in order), the folder and the environment it finds there."""

    namespaces: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]


def run(directory: Directory, name: str, command: Sequence[str]) -> NoReturn:
    """Become ``command`` in ``name``: its descriptors are ours, its exit code becomes ours (128+n: killed by signal n).

    It is killed when this process ends, whatever ends it. ``LabError`` or ``UsageError`` when nothing was started.
    """
    record = required(directory)
    here = _here()
    _enter(record)
    place = _place(directory, record, name, here)
    signal.pthread_sigmask(signal.SIG_BLOCK, {*_FORWARDED, signal.SIGCHLD})
    parent = os.pidfd_open(os.getpid())
    child = os.fork()
    if child == 0:
        _become(place, command, parent)
    sys.exit(_wait(child))


def _here() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "/"


def _enter(record: Record) -> None:
    """Move this process into the supervisor's namespaces; of the PID namespace only children become part."""
    try:
        own = [Path("/proc/self/ns", kind).stat().st_ino for kind in _NAMESPACES]
        theirs = [os.open(f"/proc/{record.supervisor}/ns/{kind}", os.O_RDONLY) for kind in _NAMESPACES]
        for inode, fd in zip(own, theirs, strict=True):
            if os.fstat(fd).st_ino != inode:  # a namespace cannot be entered twice: root's lab shares our users
                syscalls.setns(fd)
            os.close(fd)
    except FileNotFoundError as error:
        raise LabError("The lab has just ended.", "Start another one with 'nftconform lab up'.") from error
    except PermissionError as error:
        raise EnvironmentFault(
            "The lab belongs to another user.", "Enter it as the user who started it, or as root."
        ) from error


def _place(directory: Directory, record: Record, name: str, here: str) -> Place:
    plan = AddressPlan(record.nodes)
    machines = [node.name for node in plan.nodes] + [client.name for client in plan.externals]
    if name in machines:
        folder = here if Path(here).is_dir() else "/"
        return Place((str(netns.NAMED / name),), folder, {**os.environ, "PATH": search_path(), "debian_chroot": name})
    if "/" in name and (process := _container(directory.run, name)) is not None:
        base = Path("/proc", process)
        pairs = (text.partition("=") for text in (base / "environ").read_text(errors="replace").split("\0") if text)
        return Place(
            tuple(str(base / "ns" / kind) for kind in ("net", "uts", "mnt")),
            "/",
            {key: value for key, _, value in pairs},
        )
    raise UsageError(
        f"The lab has no {name!r}.", f"It has {', '.join(machines)} and its running pods, named namespace/name."
    )


def _container(run: Path, name: str) -> str | None:
    """The first process of the pod's first container, as its kubelet noted it."""
    namespace, _, pod = name.partition("/")
    for note in sorted(run.glob(f"kubelet/*/pods/{glob.escape(namespace)}_{glob.escape(pod)}_*/*/pid")):
        process = note.read_text()
        if Path("/proc", process, "root").exists():
            return process
    return None


def _become(place: Place, command: Sequence[str], parent: int) -> NoReturn:
    code = _NOT_EXECUTABLE
    try:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        if select.select([parent], [], [], 0)[0]:
            os._exit(code)  # it was gone before we asked to hear of it
        opened = [os.open(path, os.O_RDONLY) for path in place.namespaces]
        for fd in opened:
            syscalls.setns(fd)
            os.close(fd)
        os.chdir(place.folder)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python ignores them, and what it ignores an exec inherits
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvpe(command[0], list(command), dict(place.environment))  # noqa: S606
    except FileNotFoundError:
        code = _NOT_FOUND
        sys.stderr.write(f"nftconform: {command[0]} is not there. Install it on this machine: the lab has no other.\n")
    except OSError as error:
        sys.stderr.write(f"nftconform: {command[0]} cannot be run: {error.strerror}.\n")
    finally:
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int) -> int:
    """Pass signals on until the child has ended; its exit code."""
    while True:
        received = signal.sigwaitinfo({*_FORWARDED, signal.SIGCHLD})
        if received.si_signo != signal.SIGCHLD:
            if received.si_code != _FROM_THE_KERNEL:
                os.kill(child, received.si_signo)
            continue
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code
