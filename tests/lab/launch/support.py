"""Labs without Kubernetes as processes, and how to see that nothing of one is left."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from conformance.lab.launch.directory import Directory, Record, required
from conformance.lab.launch.start import environment


class Command(Protocol):
    """Runs ``nftconform`` with arguments to its end."""

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]: ...


class Until(Protocol):
    """Waits until a condition holds."""

    def __call__(self, condition: Callable[[], object]) -> None: ...


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "conformance.cli", *arguments]


@dataclass(frozen=True)
class Traces:
    """What one lab is made of, noted while it runs: its folder, processes and network namespaces."""

    folder: Path
    record: Record
    namespaces: frozenset[int]

    @classmethod
    def of(cls, directory: Directory) -> Traces:
        record = required(directory)
        named = Path(f"/proc/{record.supervisor}/root/run/netns")
        inodes = {path.stat().st_ino for path in named.iterdir()}
        inodes.add(Path(f"/proc/{record.supervisor}/ns/net").stat().st_ino)
        assert len(inodes) >= 4, "a lab has at least its own, a node's and two clients' namespaces"
        return cls(directory.path, record, frozenset(inodes))

    def left(self) -> list[str]:
        """What still exists of it, in words."""
        found = [f"file {self.folder}"] if self.folder.exists() else []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                found += self._left_of(entry)
        return found

    def _left_of(self, process: Path) -> list[str]:
        found = []
        try:
            if str(self.folder) in (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[-2:]:
                found.append(f"process {process.name}")
            if (process / "ns/net").stat().st_ino in self.namespaces:
                found.append(f"process {process.name} in a namespace of the lab")
            for line in (process / "mountinfo").read_text().splitlines():
                if str(self.folder) in line or any(f"net:[{inode}]" in line for inode in self.namespaces):
                    found.append(f"mount of process {process.name}: {line}")
        except (FileNotFoundError, ProcessLookupError, PermissionError, OSError):
            return found
        return found


class Foreground:
    """``nftconform lab up --foreground --bare`` as a process."""

    def __init__(self, folder: Path) -> None:
        self.directory = Directory(folder)
        self.process = subprocess.Popen(
            command_line("lab", "up", "--foreground", "--bare", "--nodes", "2", "--dir", str(folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(),
        )

    def ready(self) -> Traces:
        """Wait until it says so."""
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("lab ready in "):
                return Traces.of(self.directory)
        raise AssertionError("".join(said))

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Signal it and wait; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)
