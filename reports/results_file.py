"""``results.jsonl`` on disk: written while the run goes on, made whole at its end, read by whoever reports."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TextIO

from conformance.errors import UsageError
from conformance.results.codec import dump
from conformance.results.lines import Header, Line
from conformance.results.run import Run, read
from reports.files import RESULTS, unwritable, write_whole

_LONGEST_LINE, _LONGEST_FILE = 2**25, 2**31
"""Bytes. The facts of 5,000 nodes, and a hundred of the longest runs, have fewer."""


class Journal:
    """The file as it grows: the header with the first line, every line flushed, so that a kill loses none."""

    def __init__(self, folder: Path, header: Header) -> None:
        self.path = folder / RESULTS
        self._header = header
        self._file: TextIO | None = None
        self._written: dict[int, tuple[Line, str]] = {}
        """By the identity of a line, which lives as long as this does: what it is as text."""

    def write(self, line: Line) -> None:
        """Append one line; `EnvironmentFault` when the file cannot be written."""
        try:
            if self._file is None:
                # Not in place: what an older run's name is linked to stays as it is.
                self.path.unlink(missing_ok=True)
                self._file = self.path.open("x", encoding="ascii")
                self._file.write(f"{dump(self._header)}\n")
            text = dump(line)
            self._written[id(line)] = line, text
            self._file.write(f"{text}\n")
            self._file.flush()
        except OSError as error:
            raise unwritable(self.path.parent, error) from error

    def finish(self, run: Run) -> None:
        """Put the whole run, each cell once, in the place of what has grown."""
        if self._file:
            self._file.close()
        texts = (known[1] if (known := self._written.get(id(line))) else dump(line) for line in run.lines)
        write_whole(self.path, "".join(f"{text}\n" for text in texts).encode("ascii"))


@dataclass(frozen=True, slots=True)
class ResultsFile:
    """What is in a file: the run, the digest of it all, and how many lines it has.

    A file whose name ends in ``.gz`` stands for what it unpacks to.
    """

    run: Run
    sha256: str
    lines: int


def load(path: Path) -> Run:
    """The run in ``path``; `UsageError` with one sentence when there is none."""
    return weigh(path).run


def weigh(path: Path) -> ResultsFile:
    """`load`, and what shows whether it is the very file that somebody means."""
    digest, count = hashlib.sha256(), 0

    def seen(lines: Iterator[bytes]) -> Iterator[str]:
        nonlocal count
        for line in lines:
            digest.update(line)
            count += 1
            yield line.decode("utf-8", "replace")

    run = read(seen(_whole(path)), str(path))
    return ResultsFile(run, digest.hexdigest(), count)


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a file of ours, also of a packed one; `UsageError` with one sentence when it cannot be read."""
    return (line.decode("utf-8", "replace") for line in _whole(path))


def _whole(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from _lines(file, path)
    except (OSError, EOFError, zlib.error) as error:
        cause = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be read: {cause}.", "Name a results.jsonl of a run.") from error


def _lines(file: BufferedReader | gzip.GzipFile, path: Path) -> Iterator[bytes]:
    total = 0
    while line := file.readline(_LONGEST_LINE):
        total += len(line)
        if len(line) == _LONGEST_LINE or total > _LONGEST_FILE:
            raise UsageError(f"{path} holds no results: it is longer than any run's.", "Name a results.jsonl of a run.")
        yield line
