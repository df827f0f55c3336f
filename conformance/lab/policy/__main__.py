"""``python -m conformance.lab.policy --nodes node-a,node-b --kubeconfig F``: NetworkPolicies of every node of a lab."""

from __future__ import annotations

import sys
from pathlib import Path

from conformance.lab import commands, kubeconfig
from conformance.lab.client import ApiClient
from conformance.lab.faults.policy import Flaws
from conformance.lab.policy.engine import Engine, nft


def main() -> int:
    """The command."""
    parser = commands.parser("conformance.lab.policy", __doc__)
    parser.add_argument("--nodes", required=True, help="names of nodes and of their network namespaces, with commas")
    parser.add_argument("--faults", type=Path, help="the lab's switchboard; without it, no fault is on")
    arguments = parser.parse_args()

    async def work() -> None:
        async with ApiClient(kubeconfig.load(arguments.kubeconfig), "lab-policy") as client:
            await Engine(client, arguments.nodes.split(","), Flaws(arguments.faults), nft).run()

    return commands.run(work, arguments.log_level)


if __name__ == "__main__":
    sys.exit(main())
