"""A folder with all programs of a release, each verified before it gets its name."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from conformance.errors import DownloadError, EnvironmentFault
from conformance.lab.fetch.download import download
from conformance.lab.fetch.release import Artifact
from conformance.lab.fetch.unpack import unpack
from conformance.lab.fetch.verify import digest_of, listed, promised

SUMS = "SHA256SUMS"
"""In the folder: what was verified, as sha256sum -c reads it."""


class Progress(Protocol):
    """What a fetch says while it goes on."""

    def advanced(self, program: str, done: int, total: int | None) -> None:
        """``done`` bytes of a program's download are here, of ``total`` where that is known."""

    def settled(self, program: str, how: str) -> None:
        """The program is in the folder; ``how`` says in a phrase why it may be believed."""


def cache() -> Path:
    """Where releases are kept if nothing else is said (XDG base directories: relative paths do not count)."""
    told = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (told if told.is_absolute() else Path("~/.cache").expanduser()) / "nftconform" / "binaries"
    except RuntimeError:
        raise EnvironmentFault("This user has no home for a cache.", "Name a folder with --cache.") from None


def fetch(artifacts: Sequence[Artifact], folder: Path, progress: Progress) -> None:
    """Make ``folder`` hold every program; what is there already and unchanged is not downloaded again.

    Safe to interrupt and to run beside itself. `DownloadError` for what the servers do, `EnvironmentFault` when the
    folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            known = _verified(folder)
            for artifact in artifacts:
                if artifact.program in known:
                    progress.settled(artifact.program, "already there, verified")
                    continue
                how = _fetch(artifact, folder, progress)
                known[artifact.program] = digest_of(folder / artifact.program, "sha256")
                _note(folder, known)
                progress.settled(artifact.program, how)
    except OSError as failure:
        raise EnvironmentFault(
            f"{failure.filename or folder} cannot be used: {failure.strerror}.",
            "Make room or name another folder with --cache.",
        ) from failure


def _fetch(artifact: Artifact, folder: Path, progress: Progress) -> str:
    """Download, verify, unpack, and only then give the program its name; how it was verified."""
    algorithm, digest = promised(artifact)
    part = folder / f".{artifact.url.rpartition('/')[2]}.part"
    resumed = part.exists()
    download(artifact.url, part, lambda done, total: progress.advanced(artifact.program, done, total))
    found = digest_of(part, algorithm)
    if found != digest:
        part.unlink()
        if resumed:  # what was left may have been of another file
            return _fetch(artifact, folder, progress)
        raise DownloadError(
            f"{artifact.url} is not what its checksum says: {algorithm} {found[:16]}..., promised {digest[:16]}...",
            "It was thrown away. Try again, or check the mirror and the proxies on the way.",
        )
    program = part
    if artifact.member:
        program = folder / f".{artifact.program}.part"
        try:
            unpack(part, artifact.member, program)
        finally:
            part.unlink()
    program.chmod(0o755)
    program.replace(folder / artifact.program)
    return f"{algorithm} verified"


def _verified(folder: Path) -> dict[str, str]:
    """The programs that are as they were when they were verified, with their digests."""
    try:
        noted = listed((folder / SUMS).read_text("utf-8"))
    except (FileNotFoundError, UnicodeDecodeError):
        return {}
    there = {name: folder / name for name in noted if (folder / name).is_file()}
    return {name: noted[name] for name, file in there.items() if digest_of(file, "sha256") == noted[name]}


def _note(folder: Path, known: dict[str, str]) -> None:
    part = folder / f".{SUMS}.part"
    part.write_text("".join(f"{digest}  {name}\n" for name, digest in known.items()), "utf-8")
    part.replace(folder / SUMS)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two fetches of one folder take turns: the second finds everything there. The lock ends with the process."""
    with (folder / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
