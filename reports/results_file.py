"""``results.jsonl`` on disk: written while the run goes on, made whole at its end, read by whoever reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from conformance.errors import UsageError
from conformance.results.codec import dump
from conformance.results.lines import Header, Line
from conformance.results.run import Run, read
from reports.files import RESULTS, unwritable, write_whole

_LONGEST_LINE, _LONGEST_FILE = 2**25, 2**31
"""Characters. The facts of 5,000 nodes, and a hundred of the longest runs, have fewer."""


class Journal:
    """The file as it grows: the header with the first line, every line flushed, so that a kill loses none."""

    def __init__(self, folder: Path, header: Header) -> None:
        self.path = folder / RESULTS
        self._header = header
        self._file: TextIO | None = None

    def write(self, line: Line) -> None:
        """Append one line; `EnvironmentFault` when the file cannot be written."""
        try:
            if self._file is None:
                # Not in place: what an older run's name is linked to stays as it is.
                self.path.unlink(missing_ok=True)
                self._file = self.path.open("x", encoding="ascii")
                self._file.write(f"{dump(self._header)}\n")
            self._file.write(f"{dump(line)}\n")
            self._file.flush()
        except OSError as error:
            raise unwritable(self.path.parent, error) from error

    def finish(self, run: Run) -> None:
        """Put the whole run, each cell once, in the place of what has grown."""
        if self._file:
            self._file.close()
        write_whole(self.path, "".join(f"{dump(line)}\n" for line in run.lines).encode("ascii"))


def load(path: Path) -> Run:
    """The run in ``path``; `UsageError` with one sentence when there is none."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return read(_lines(file, path), str(path))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}.", "Name a results.jsonl of a run."
        ) from error


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    total = 0
    while line := file.readline(_LONGEST_LINE):
        total += len(line)
        if len(line) == _LONGEST_LINE or total > _LONGEST_FILE:
            raise UsageError(f"{path} holds no results: it is longer than any run's.", "Name a results.jsonl of a run.")
        yield line
