"""All alterations."""

from __future__ import annotations

from conformance.lab.faults.view import endpoints, hints, services, stale
from conformance.lab.faults.view.registry import ALTERATIONS, RETENTIONS

__all__ = ["ALTERATIONS", "RETENTIONS", "endpoints", "hints", "services", "stale"]
