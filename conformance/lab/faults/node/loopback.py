"""The loopback address."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.scene import Scene
from conformance.spec.faults import Fault

_ROUTE_LOCALNET = Path("/proc/sys/net/ipv4/conf/all/route_localnet")


@puts_in(Fault.NODE_PORT_ON_LOOPBACK)
@contextlib.asynccontextmanager
async def loopback_is_routed(_scene: Scene) -> AsyncIterator[None]:
    """Packets from and to loopback addresses may leave and enter the node (its rules do the rest)."""
    before = _ROUTE_LOCALNET.read_text()
    _ROUTE_LOCALNET.write_text("1")
    try:
        yield
    finally:
        _ROUTE_LOCALNET.write_text(before)
