"""Faults in kube-proxy's nft transactions: what is reached at which address."""

from __future__ import annotations

from conformance.spec.faults.damage import Damage
from conformance.spec.faults.fault import Fault

DAMAGE: dict[Fault, Damage] = {}
