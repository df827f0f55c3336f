"""The catalogue of faults, each with its damage."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.spec.faults import answers, dispatch, machine, node, path, sync, treatment, view
from conformance.spec.faults.damage import Damage, Site
from conformance.spec.faults.fault import Fault

DAMAGE: Mapping[Fault, Damage] = {
    **dispatch.DAMAGE,
    **sync.DAMAGE,
    **treatment.DAMAGE,
    **view.DAMAGE,
    **answers.DAMAGE,
    **node.DAMAGE,
    **machine.DAMAGE,
    **path.DAMAGE,
}

__all__ = ["DAMAGE", "Damage", "Fault", "Site"]
