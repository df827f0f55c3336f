"""All rewrites."""

from __future__ import annotations

from conformance.lab.faults.rules import forgetting, frozen, hairpin, stale
from conformance.lab.faults.rules.registry import REWRITES

__all__ = ["REWRITES", "forgetting", "frozen", "hairpin", "stale"]
