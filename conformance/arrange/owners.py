"""Who else has an address: what a Service of the run gave up, the API server may have given to somebody's by now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.arrange.arrangement import Arrangement
from conformance.cluster.failures import ApiRefused
from conformance.model.client import Destination

JSON = dict[str, Any]


def elsewhere(arrangement: Arrangement) -> list[JSON]:
    """The cluster's Services outside the run's namespace; none where we may not list them."""
    try:
        every = arrangement.cluster.objects("Service")
    except ApiRefused as no:
        if no.status != 403:
            raise
        return []
    return [s for s in every if s["metadata"]["namespace"] != arrangement.run.namespace]


def owner(services: Iterable[JSON], to: Destination) -> str:
    """The first of ``services`` that has ``to``, as ``namespace/name``; empty when there is none. Pure.

    A ClusterIP is its Service's at any port, a node port on any node.
    """
    for one in services:
        spec = one["spec"]
        ports = spec.get("ports") or ()
        numbers = {(p.get("nodePort"), p.get("protocol", "TCP")) for p in ports}
        numbers.add((spec.get("healthCheckNodePort"), "TCP"))
        if to.ip in (spec.get("clusterIPs") or ()) or (to.node and (to.port, to.protocol.value) in numbers):
            return f"{one['metadata']['namespace']}/{one['metadata']['name']}"
    return ""
