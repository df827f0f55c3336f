"""What one node is told of its pod network: a file that the lab writes and the node's processes read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from conformance.lab.addresses import AddressPlan, NodePlan
from conformance.lab.cni.cache import Cache
from conformance.lab.cni.choice import Cni
from conformance.lab.cni.execution import Plugins
from conformance.lab.cni.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Place:
    """The pod network ``cni`` on one node of ``nodes``; ``folder`` is for leases and cached results."""

    cni: Cni
    node: str
    nodes: int
    folder: Path

    @classmethod
    def of(cls, cni: Cni, plan: AddressPlan, node: NodePlan, folder: Path) -> Place:
        """The pod network ``cni`` on ``node``; ``ConfError``."""
        return cls(cni.on(plan, node, folder / "leases"), node.name, plan.node_count, folder)

    @classmethod
    def read(cls, file: Path) -> Place:
        """From ``write``."""
        plain = json.loads(file.read_text())
        return cls(Cni.decode(plain["cni"]), plain["node"], plain["nodes"], Path(plain["folder"]))

    def write(self, file: Path) -> None:
        """For the node's processes."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self) | {"folder": str(self.folder)}))

    def runtime(self) -> Runtime:
        """Adds pods to the network and takes them out."""
        return Runtime(self.cni.network, Plugins(self.cni.folders), Cache(self.folder / "results"))
