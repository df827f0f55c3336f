"""Faults of the node around kube-proxy, and of the pod network."""

from __future__ import annotations

from conformance.model.verdict import Mismatch
from conformance.spec.faults.damage import Damage, Site
from conformance.spec.faults.fault import Fault

DAMAGE = {
    Fault.POD_TO_POD_BROKEN: Damage(
        Site.WIRE,
        "the node drops what is forwarded to the pods of other nodes, unless it was dialled at a Service",
        "Pods and nodes reach every pod at its own address.",
        (Mismatch.NOT_REACHED,),
    ),
}
