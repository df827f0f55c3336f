"""Masquerading and hairpin connections."""

from __future__ import annotations

from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Transaction
from conformance.spec.faults import Fault


@puts_in(Fault.NO_HAIRPIN)
def no_hairpin(transaction: Transaction, scene: Scene) -> Transaction:
    """No element reaches the set, and none has to leave it."""
    return tuple(
        c for c in transaction if (c.kind, c.name) != ("element", "hairpin-connections") or not scene.concerns(c.text)
    )
