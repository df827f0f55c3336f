"""The switchboard, as a server reads it: anew whenever somebody has switched, for the price of one ``stat``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.lab.faults.board import Board, Switch
from conformance.spec.faults import Fault

Json = dict[str, Any]


class Switches:
    """What is on right now; without a folder nothing ever is."""

    def __init__(self, folder: Path | None) -> None:
        self._board = None if folder is None else Board(folder)
        self._version: tuple[int, int] | None = None
        self._on: dict[str, Switch] = {}
        self.changes = 0
        """How often something has been switched, as far as was looked."""

    def look(self) -> int:
        """Read what is on; ``changes`` as of now."""
        if self._board is None:
            return self.changes
        version = self._board.version()
        if version != self._version:
            self._version = version
            self._on = {switch.fault: switch for switch in self._board.read()}
            self.changes += 1
        return self.changes

    def suffers(self, fault: Fault, namespace: str, name: str) -> bool:
        """Whether the Service of that name suffers the fault at this moment."""
        self.look()
        switch = self._on.get(fault.name)
        return switch is not None and switch.is_about(namespace, name)

    def hits(self, fault: Fault, obj: Json) -> bool:
        """`suffers`, for a Service as an object; one without a name yet is about to get any."""
        metadata = obj["metadata"]
        return self.suffers(fault, metadata.get("namespace", ""), metadata.get("name", ""))
