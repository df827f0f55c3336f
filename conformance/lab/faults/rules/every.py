"""All rewrites."""

from __future__ import annotations

from conformance.lab.faults.rules import hairpin
from conformance.lab.faults.rules.registry import REWRITES

__all__ = ["REWRITES", "hairpin"]
