"""Faults in what the API server and cluster DNS answer."""

from __future__ import annotations

from conformance.spec.faults.damage import Damage
from conformance.spec.faults.fault import Fault

DAMAGE: dict[Fault, Damage] = {}
