"""``python -m conformance.lab.policy --node NAME``: the pod network's agent there, which enforces NetworkPolicies."""

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
    parser.add_argument("--node", required=True, help="the node whose network namespace this is")
    parser.add_argument("--last", default="", help="the last node by name, which has the faults that one node has")
    parser.add_argument("--faults", type=Path, help="the lab's switchboard; without it, no fault is on")
    arguments = parser.parse_args()

    async def work() -> None:
        async with ApiClient(kubeconfig.load(arguments.kubeconfig), "lab-policy") as client:
            last = arguments.node == arguments.last
            await Engine(client, arguments.node, Flaws(arguments.faults), nft, last=last).run()

    return commands.run(work, arguments.log_level)


if __name__ == "__main__":
    sys.exit(main())
