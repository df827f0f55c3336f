"""A volume's folder whose files change all at once: the symbolic link ``..data`` is swapped, as a kubelet does it."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path

from conformance.lab.kubelet.payload import File

_DATA = "..data"
_numbers = itertools.count(1)


def write(folder: Path, files: Mapping[str, File]) -> bool:
    """Make ``files`` (relative paths) the contents of ``folder``; False when they were already; OSError."""
    old = folder / _DATA
    if old.is_dir() and _read(old) == files:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"..{next(_numbers):010d}"
    for path, file in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(file.mode)
    fresh.mkdir(exist_ok=True)
    previous = old.resolve() if old.is_symlink() else None
    link = folder / "..data_tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(fresh.name)
    link.rename(old)
    wanted = {Path(path).parts[0] for path in files}
    for name in wanted:
        with contextlib.suppress(FileExistsError):
            (folder / name).symlink_to(f"{_DATA}/{name}")
    for entry in folder.iterdir():
        if entry.is_symlink() and not entry.name.startswith("..") and entry.name not in wanted:
            entry.unlink()
    if previous is not None:
        shutil.rmtree(previous)
    return True


def _read(folder: Path) -> dict[str, File]:
    return {
        str(path.relative_to(folder)): File(path.read_bytes(), path.stat().st_mode & 0o7777)
        for path in folder.rglob("*")
        if path.is_file()
    }
