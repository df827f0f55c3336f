"""The lab's external clients, named as any cluster's would be on the command line."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from conformance.lab.addresses import AddressPlan


def externals(folder: Path, nodes: int) -> tuple[str, ...]:
    """What ``--external`` takes for each external client of the lab in ``folder``."""
    prefix = shlex.join([sys.executable, "-m", "conformance.cli", "lab", "exec", "--dir", str(folder)])
    return tuple(f"{e.name}@{e.via.name}=exec:{prefix} {e.name} --" for e in AddressPlan(nodes).externals)
