"""All rewrites."""

from __future__ import annotations

from conformance.lab.faults.rules import affinity, forgetting, frozen, masquerade, policy, ranges, stale, timeouts
from conformance.lab.faults.rules.registry import REWRITES

__all__ = ["REWRITES", "affinity", "forgetting", "frozen", "masquerade", "policy", "ranges", "stale", "timeouts"]
