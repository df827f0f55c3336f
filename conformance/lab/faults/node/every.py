"""All injections."""

from __future__ import annotations

from conformance.lab.faults.node import (
    families,
    flows,
    health_checks,
    host_ports,
    impostors,
    loopback,
    machines,
    neighbours,
    path,
    programs,
    wire,
)
from conformance.lab.faults.node.registry import INJECTIONS

__all__ = [
    "INJECTIONS",
    "families",
    "flows",
    "health_checks",
    "host_ports",
    "impostors",
    "loopback",
    "machines",
    "neighbours",
    "path",
    "programs",
    "wire",
]
