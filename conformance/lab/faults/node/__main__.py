"""``python -m conformance.lab.faults.node FAULT``: in as long as this runs; the pod is ready when it is in."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from conformance.lab import commands
from conformance.lab.faults.board import Switch
from conformance.lab.faults.node.every import INJECTIONS
from conformance.lab.faults.scene import Scene
from conformance.spec.faults import Fault

READY = Path("/run/fault-is-in")


def main() -> int:
    """The command."""
    parser = commands.parser("conformance.lab.faults.node", __doc__)
    parser.add_argument("fault")
    parser.add_argument("--service", default="")
    arguments = parser.parse_args()
    scene = Scene(Switch(arguments.fault, service=arguments.service), os.environ.get("NODE_NAME", ""))

    async def work() -> None:
        async with INJECTIONS[Fault[arguments.fault]](scene):
            READY.parent.mkdir(exist_ok=True)
            READY.touch()
            await asyncio.Event().wait()

    return commands.run(work, arguments.log_level)


if __name__ == "__main__":
    sys.exit(main())
