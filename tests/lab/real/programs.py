"""Stand-ins for Kubernetes' programs: they say a version, and that is all."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

ALL = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy")


def program(folder: Path, name: str, says: str = "Kubernetes v1.36.2", code: int = 0) -> Path:
    """An executable that prints ``says``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\necho 'it is broken' >&2\nexit {code}\n")
    path.chmod(0o755)
    return path


def programs(folder: Path, names: Iterable[str] = ALL) -> Path:
    """A folder of them."""
    for name in names:
        program(folder, name)
    return folder


def header(machine: int, order: str = "<") -> bytes:
    """The first bytes of a 64-bit ELF executable for ``machine``."""
    return b"\x7fELF" + bytes((2, 1 if order == "<" else 2, 1)) + bytes(9) + struct.pack(f"{order}HH", 2, machine)
