"""The catalogue of faults, each with its damage."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.spec.faults import answers, node, rules, view
from conformance.spec.faults.damage import Damage, Site
from conformance.spec.faults.fault import Fault

DAMAGE: Mapping[Fault, Damage] = {**rules.DAMAGE, **view.DAMAGE, **answers.DAMAGE, **node.DAMAGE}

__all__ = ["DAMAGE", "Damage", "Fault", "Site"]
