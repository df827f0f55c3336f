"""All rewrites."""

from __future__ import annotations

from conformance.lab.faults.rules import affinity, masquerade, policy, ranges, timeouts
from conformance.lab.faults.rules.registry import REWRITES

__all__ = ["REWRITES", "affinity", "masquerade", "policy", "ranges", "timeouts"]
