"""Documents appear whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from conformance.errors import EnvironmentFault

JUNIT, PAGE, RESULTS = "junit.xml", "report.html", "results.jsonl"
EVIDENCE = "evidence"
"""The folder with what was gathered of failing cells."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader sees the old document or the new one, never a part.

    Raises `EnvironmentFault` when the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise unwritable(path.parent, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise unwritable(path.parent, error) from error


def forget(folder: Path) -> None:
    """Take away the reports of an earlier run: a run that comes to none must not be judged by them."""
    for name in (JUNIT, PAGE, RESULTS):
        folder.joinpath(name).unlink(missing_ok=True)
    shutil.rmtree(folder / EVIDENCE, ignore_errors=True)


def check_writable(folder: Path) -> None:
    """Raise `EnvironmentFault` now rather than after the run, when ``folder`` cannot take the reports."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> EnvironmentFault:
    """The one sentence for a folder that does not take our files."""
    return EnvironmentFault(
        f"The output folder {folder} cannot be written: {error.strerror or error}.",
        "Name another one with --output.",
    )


def xml_text(text: str) -> str:
    """``text`` without the characters that XML 1.0 forbids: what comes from a cluster may hold anything."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
