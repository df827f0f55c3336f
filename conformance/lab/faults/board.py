"""The switchboard: which faults are on, in a file that everything which can be made faulty reads."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

POD_FOLDER = Path("/var/lib/nftconform/faults")
"""Where the lab's pods find the folder."""

_WRAPPER = """\
#!/bin/sh
# The nft of the lab's kube-proxies: while a fault is on, it rewrites what is on its way to the kernel.
PATH=${{PATH#*:}}
[ -s "${{0%/bin/nft}}/board.json" ] || exec nft "$@"
exec {python} -P -m conformance.lab.faults.rules "${{0%/bin/nft}}" "$@"
"""


@dataclass(frozen=True, slots=True)
class Switch:
    """One fault that is on: its name in `conformance.spec.faults.Fault`, and where; empty means everywhere.

    ``service`` is ``namespace/name``, or a name in any namespace.
    """

    fault: str
    node: str = ""
    service: str = ""

    def is_about(self, namespace: str, name: str) -> bool:
        """Whether the Service suffers it."""
        return self.service in ("", name, f"{namespace}/{name}")


@dataclass(frozen=True, slots=True)
class Board:
    """The folder with the switches, what faults remember, and the ``nft`` that kube-proxy finds first on its path."""

    folder: Path

    @property
    def _file(self) -> Path:
        return self.folder / "board.json"

    def install(self) -> None:
        """Make the folder, with everything off."""
        wrapper = self.folder / "bin" / "nft"
        wrapper.parent.mkdir(parents=True, exist_ok=True)
        wrapper.write_text(_WRAPPER.format(python=sys.executable))
        wrapper.chmod(0o755)
        (self.folder / "memory").mkdir(exist_ok=True)
        self.write(())

    def read(self, node: str = "") -> tuple[Switch, ...]:
        """What is on, in the order in which it was switched on; with ``node``, what is on there."""
        try:
            text = self._file.read_text()
        except FileNotFoundError:
            return ()
        switches = (Switch(**plain) for plain in json.loads(text or "[]"))
        return tuple(s for s in switches if not node or s.node in ("", node))

    def write(self, switches: Iterable[Switch]) -> None:
        """Replace what is on, whole or not at all; the file is empty when nothing is."""
        plain = [asdict(switch) for switch in switches]
        _replace(self._file, json.dumps(plain) if plain else "")

    def recall(self, where: str, fault: str) -> dict[str, Any]:
        """What ``fault`` noted the last time: ``where`` is a node, or a node and one of its families."""
        with contextlib.suppress(FileNotFoundError):
            noted: dict[str, Any] = json.loads(self._memory(where, fault).read_text())
            return noted
        return {}

    def note(self, where: str, fault: str, memory: dict[str, Any]) -> None:
        """Remember ``memory`` until the fault is switched off."""
        _replace(self._memory(where, fault), json.dumps(memory))

    def forget(self, fault: str) -> None:
        """Drop everything that ``fault`` noted."""
        for path in self.folder.glob(f"memory/*.{fault}.json"):
            path.unlink(missing_ok=True)

    def _memory(self, where: str, fault: str) -> Path:
        return self.folder / "memory" / f"{where}.{fault}.json"


def _replace(path: Path, text: str) -> None:
    fd, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(fd, "w") as file:
        file.write(text)
    Path(draft).chmod(0o644)
    Path(draft).replace(path)
