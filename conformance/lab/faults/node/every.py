"""All injections."""

from __future__ import annotations

from conformance.lab.faults.node import loopback, wire
from conformance.lab.faults.node.registry import INJECTIONS

__all__ = ["INJECTIONS", "loopback", "wire"]
