"""The lab's folder outside: who may have it, what lies in it, and that nothing of it stays."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import struct
from dataclasses import asdict, dataclass
from pathlib import Path

from conformance.errors import EnvironmentFault, KitError, LabError, UsageError
from conformance.model.cluster import ProxyMode

DEFAULT = Path(".lab")
VARIABLE = "NFTCONFORM_LAB"

# An open file description's lock: watchdog and supervisor inherit it, and it can be asked for without being taken.
_FLOCK = "hhqqi0q"
_WHOLE_FILE = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Record:
    """What `lab exec` must know of a running lab. PIDs are the host's; ``started`` is in the epoch's seconds.

    ``mode`` is kube-proxy's, ``version`` the real kube-apiserver's (empty: the API server is the embedded one).
    """

    watchdog: int
    supervisor: int
    started: float
    nodes: int
    port: int
    mode: str = ProxyMode.NFTABLES.value
    version: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """A lab's folder. ``run`` is a tmpfs that only the lab sees."""

    path: Path

    @classmethod
    def chosen(cls, path: Path | None) -> Directory:
        """``path``, or what the environment names, or ``.lab`` here."""
        return cls(Path.cwd() / (path or os.environ.get(VARIABLE) or DEFAULT))

    @property
    def lock(self) -> Path:
        """Held by watchdog and supervisor as long as the lab lives."""
        return self.path / "lock"

    @property
    def record(self) -> Path:
        """A `Record` as JSON."""
        return self.path / "lab.json"

    @property
    def kubeconfig(self) -> Path:
        """For whoever uses the lab from outside; context ``lab``."""
        return self.path / "kubeconfig"

    @property
    def logs(self) -> Path:
        """One file a component."""
        return self.path / "logs"

    @property
    def faults(self) -> Path:
        """The switchboard of faults, see `conformance.lab.faults.board`."""
        return self.path / "faults"

    @property
    def run(self) -> Path:
        """The lab's own state."""
        return self.path / "run"

    def claim(self) -> int:
        """Make the folder and take its lock: the descriptor that holds it. ``LabError`` when a lab runs here."""
        while True:
            self._prepare()
            fd = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _WHOLE_FILE)
            except BlockingIOError as error:
                os.close(fd)
                raise LabError(
                    f"A lab is already running in {self.path}.", "End it with 'nftconform lab down', or use --dir."
                ) from error
            # The one who ends takes its lock file away; then what we locked is no longer what others will find.
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(fd).st_ino == self.lock.stat().st_ino:
                    self._remove(self.record, self.kubeconfig, self.logs, self.faults, self.run)
                    return fd
            os.close(fd)

    def _prepare(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            strangers = not self.lock.exists() and any(self.path.iterdir())
            self._writable()
        except OSError as error:
            raise EnvironmentFault(
                f"The lab's folder {self.path} cannot be used: {error.strerror}.", "Choose another one with --dir."
            ) from error
        if strangers:
            raise UsageError(
                f"{self.path} is not empty and was not made by a lab.", "Choose another folder with --dir."
            )

    def _writable(self) -> None:
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            with contextlib.suppress(OSError):
                self.path.rmdir()
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def running(self) -> Record | None:
        """The lab that runs here, if one does. ``LabError`` when it cannot be told."""
        try:
            with self.lock.open("rb") as file:
                answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _WHOLE_FILE)
            if struct.unpack(_FLOCK, answer)[0] == fcntl.F_UNLCK:
                return None
            return Record(**json.loads(self.record.read_text()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LabError(
                f"{self.lock} cannot be read: {error.strerror}.", "Ask as the user who started it."
            ) from error

    def write(self, record: Record) -> None:
        """Note who runs; whole or not at all."""
        draft = self.record.with_suffix(".new")
        draft.write_text(json.dumps(asdict(record)))
        draft.replace(self.record)

    def remove(self) -> None:
        """Take away everything a lab leaves here, and the folder when nothing else is in it."""
        self._remove(self.record, self.kubeconfig, self.logs, self.faults, self.run, self.lock)
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def remove_if_abandoned(self) -> None:
        """Take the files of a lab away that was killed with its watchdog; nothing when a lab runs or none ever did."""
        if self.lock.exists():
            with contextlib.suppress(KitError):
                lock = self.claim()
                self.remove()
                os.close(lock)

    def _remove(self, *paths: Path) -> None:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def required(directory: Directory) -> Record:
    """The lab that runs in ``directory``; ``LabError`` when none does."""
    if record := directory.running():
        return record
    raise LabError(f"No lab is running in {directory.path}.", "Start one with 'nftconform lab up', or use --dir.")
