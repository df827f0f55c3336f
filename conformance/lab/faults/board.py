"""The switchboard: which faults are on, in a file that everything which can be made faulty reads."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import conformance
from conformance.spec.faults import DAMAGE, Fault, Site

POD_FOLDER = Path("/var/lib/nftconform/faults")
"""Where the lab's pods find the folder."""

_REWRITING = "conformance.lab.faults.rules.__main__"
MUTANT = "MUTANT"
RECORD = "RECORD"
AFRESH = "AFRESH"

_WRAPPER = """\
#!/bin/sh
# The nft of the lab's kube-proxies: while a fault is on, it rewrites what is on its way to the kernel.
PATH=${{PATH#*:}}
case " $* " in *" -f "*) ;; *) exec nft "$@" ;; esac
[ -e "${{0%/bin/nft}}/rewriting" ] || exec nft "$@"
exec {python} -S -P -c 'import sys; sys.path.insert(0, "{home}"); from {module} import main; sys.exit(main())' \
    "${{0%/bin/nft}}" "$@"
"""


@dataclass(frozen=True, slots=True)
class Switch:
    """One fault that is on: its name in `conformance.spec.faults.Fault`, and where; empty means everywhere.

    ``service`` is ``namespace/name``, or a name in any namespace. Besides the named faults there are `MUTANT`, of which
    ``detail`` says more, and two that break nothing: `RECORD` keeps what the kernel took, and while `AFRESH` is on, a
    proxy that writes its whole table finds none there, and that it did is noted.
    """

    fault: str
    node: str = ""
    service: str = ""
    detail: str = ""

    @property
    def rewrites(self) -> bool:
        """Whether it has to do with nft's transactions."""
        return self.fault in (MUTANT, RECORD, AFRESH) or DAMAGE[Fault[self.fault]].site is Site.RULES

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

    @property
    def _rewriting(self) -> Path:
        return self.folder / "rewriting"

    def install(self) -> None:
        """Make the folder, with everything off."""
        wrapper = self.folder / "bin" / "nft"
        wrapper.parent.mkdir(parents=True, exist_ok=True)
        home = Path(conformance.__file__).resolve().parents[1]
        wrapper.write_text(_WRAPPER.format(python=sys.executable, home=home, module=_REWRITING))
        wrapper.chmod(0o755)
        (self.folder / "memory").mkdir(exist_ok=True)
        self.write(())

    def read(self, node: str = "") -> tuple[Switch, ...]:
        """What is on, in the order in which it was switched on; with ``node``, what is on there."""
        try:
            text = self._file.read_text()
        except FileNotFoundError:
            return ()
        switches = (Switch(**plain) for plain in json.loads(text))
        return tuple(s for s in switches if not node or s.node in ("", node))

    def version(self) -> tuple[int, int]:
        """Another one after every `write`; costs one ``stat``."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino

    def write(self, switches: Iterable[Switch]) -> None:
        """Replace what is on, whole or not at all."""
        on = tuple(switches)
        _replace(self._file, json.dumps([asdict(switch) for switch in on]))
        # Only then does nft take the long way.
        if any(switch.rewrites for switch in on):
            self._rewriting.touch()
        else:
            self._rewriting.unlink(missing_ok=True)

    def recall(self, node: str, family: str, fault: str) -> dict[str, Any]:
        """What ``fault`` noted on ``node`` of the ``family``'s table the last time."""
        with contextlib.suppress(FileNotFoundError):
            noted: dict[str, Any] = json.loads(self._memory(node, family, fault).read_text())
            return noted
        return {}

    def note(self, node: str, family: str, fault: str, memory: dict[str, Any]) -> None:
        """Remember ``memory`` until the fault is switched off.

        By family, because kube-proxy writes its two tables at the same time, and neither waits for the other.
        """
        _replace(self._memory(node, family, fault), json.dumps(memory))

    def record(self, node: str, family: str, text: str) -> None:
        """Keep a transaction that the kernel took."""
        with self._transactions(node, family).open("a") as file:
            file.write(json.dumps(text) + "\n")

    def recorded(self, node: str, family: str) -> tuple[str, ...]:
        """The transactions of a ``family``'s table on ``node`` that were kept, in order."""
        path = self._transactions(node, family)
        return tuple(json.loads(line) for line in path.read_text().splitlines()) if path.exists() else ()

    def _transactions(self, node: str, family: str) -> Path:
        return self.folder / "memory" / f"{node}.{family}.transactions"

    def forget(self, fault: str) -> None:
        """Drop everything that ``fault`` noted."""
        for path in self.folder.glob(f"memory/*.{fault}.json"):
            path.unlink(missing_ok=True)

    def _memory(self, node: str, family: str, fault: str) -> Path:
        return self.folder / "memory" / f"{node}.{family}.{fault}.json"


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)
