"""Faults in kube-proxy's nft transactions: how what is reached is treated on its way."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site, upstream
from conformance.spec.faults.fault import Fault

DAMAGE = {
    Fault.NO_HAIRPIN: Damage(
        Site.RULES,
        "no element reaches the set hairpin-connections",
        "An endpoint reaches its own Service, itself included.",
        (Mismatch.NOT_REACHED, Mismatch.SOMETIMES_LOST),
        upstream(136499),
    ),
}
