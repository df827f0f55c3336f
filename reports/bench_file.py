"""``bench.jsonl`` on disk: written while the bench goes on, read by whoever reports."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from conformance.errors import UsageError
from conformance.measured.bench import Bench, begins, dump, read
from conformance.measured.lines import Header, Line
from reports.files import unwritable
from reports.results_file import lines_of

NAME = "bench.jsonl"


class Journal:
    """A context manager: the file, a line as soon as it is measured, so that a kill loses none."""

    def __init__(self, folder: Path, header: Header) -> None:
        self.path = folder / NAME
        self._header = header

    def __enter__(self) -> Self:
        try:
            # Not in place: what an older bench's name is linked to stays as it is.
            self.path.unlink(missing_ok=True)
            self._file: TextIO = self.path.open("x", encoding="ascii")
        except OSError as error:
            raise unwritable(self.path.parent, error) from error
        self.write(self._header)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def write(self, line: Line) -> None:
        """Append one line; `EnvironmentFault` when the file cannot be written."""
        try:
            self._file.write(f"{dump(line)}\n")
            self._file.flush()
        except OSError as error:
            raise unwritable(self.path.parent, error) from error


def is_bench(path: Path) -> bool:
    """Whether a file is a bench's rather than a run's; what cannot be read is none."""
    with contextlib.suppress(UsageError):
        return begins(next(lines_of(path), ""))
    return False


def load(path: Path) -> Bench:
    """The bench in ``path``; `UsageError` with one sentence when there is none."""
    return read(lines_of(path), str(path))
