"""The Service variants that the matrices are made of."""

from __future__ import annotations

from itertools import product

from conformance.model.case import ServiceSpec, on, on_host, service
from conformance.model.kube import Policy, ServiceType

PLACEMENTS = (on(), on("a"), on("a", "b"), on_host("b"))
"""Endpoints nowhere, on one node, on two, and in a node's own network namespace."""


def variants(
    kind: ServiceType,
    *,
    internal: tuple[Policy, ...] = (Policy.CLUSTER,),
    external: tuple[Policy, ...] = (Policy.CLUSTER,),
    affinity: tuple[bool, ...] = (False, True),
    external_ip: bool = False,
) -> tuple[ServiceSpec, ...]:
    """Every combination of the given policies and affinities with every endpoint placement."""
    return tuple(
        service(
            kind, endpoints=where, internal_policy=itp, external_policy=etp, affinity=sticky, external_ip=external_ip
        )
        for itp, etp, sticky, where in product(internal, external, affinity, PLACEMENTS)
    )
