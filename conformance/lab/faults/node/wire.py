"""The pod network."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from conformance.lab.faults.node import tables
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.scene import Scene
from conformance.spec.faults import Fault


@puts_in(Fault.POD_TO_POD_BROKEN)
@contextlib.asynccontextmanager
async def pod_to_pod_broken(_scene: Scene) -> AsyncIterator[None]:
    """Between the pods of two nodes only what kube-proxy translated passes."""
    pods = "ip saddr 10.244.0.0/16 ip daddr 10.244.0.0/16", "ip6 saddr fd00:244::/48 ip6 daddr fd00:244::/48"
    rules = "\n".join(f"ct state new ct status & dnat == 0 {match} drop" for match in pods)
    async with tables.table(f"chain forward {{ type filter hook forward priority -1;\n{rules}\n}}"):
        yield
