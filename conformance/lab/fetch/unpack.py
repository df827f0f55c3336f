"""One program out of a tarball, which is not trusted."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from conformance.errors import DownloadError

_HINT = "This is no release of etcd: check --etcd-base-url."


def unpack(tarball: Path, member: str, to: Path) -> None:
    """Write the regular file ``member`` of ``tarball`` to ``to``; nothing else is written.

    `DownloadError` when it is not there, or when any member would leave the folder it is unpacked in: nothing of such
    an archive is used. An `OSError` is of ``to``.
    """
    try:
        with tarfile.open(tarball, "r:gz") as archive:
            found = None
            for entry in archive:
                if _leaves(entry):
                    raise DownloadError(f"{tarball.name} has the unsafe member {entry.name!r}.", _HINT)
                found = entry if entry.name == member and entry.isreg() else found
            opened = archive.extractfile(found) if found else None
            if opened is None:
                raise DownloadError(f"{tarball.name} has no file {member}.", _HINT)
            with opened, to.open("wb") as file:
                shutil.copyfileobj(opened, file)
    except (tarfile.TarError, EOFError, zlib.error) as failure:
        raise DownloadError(f"{tarball.name} is no whole tarball: {failure}.", _HINT) from None


def _leaves(entry: tarfile.TarInfo) -> bool:
    """Whether a member, or what a link points to, is outside the folder of the archive, or is a device."""
    paths = [PurePosixPath(entry.name)]
    if entry.issym():
        paths.append(paths[0].parent / entry.linkname)
    elif entry.islnk():
        paths.append(PurePosixPath(entry.linkname))
    return entry.isdev() or any(p.is_absolute() or ".." in p.parts for p in paths)
