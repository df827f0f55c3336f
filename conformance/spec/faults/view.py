"""Faults in the API's objects as kube-proxy sees them."""

from __future__ import annotations

from conformance.spec.faults.damage import Damage
from conformance.spec.faults.fault import Fault

DAMAGE: dict[Fault, Damage] = {}
