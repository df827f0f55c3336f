"""Mirrors hand-made Endpoints of selector-less Services to EndpointSlices (endpointslicemirroring)."""

from __future__ import annotations

import ipaddress
from typing import Any

from conformance.lab.client import key
from conformance.lab.controllers.cluster import ENDPOINT_SLICES, ENDPOINTS, SERVICES, Cluster, reference_to
from conformance.lab.controllers.endpoint_slices import apply
from conformance.lab.controllers.packing import MANAGED_BY, SERVICE_NAME, Blueprint, Group, assign
from conformance.lab.controllers.slices import HEADLESS
from conformance.lab.controllers.workqueue import WorkQueue

Json = dict[str, Any]

CONTROLLER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MAX_PER_SUBSET = 1000


def wanted(endpoints: Json, service: Json | None) -> bool:
    """Whether ``endpoints`` are to be mirrored (pure)."""
    meta = endpoints["metadata"]
    skipped = (meta.get("labels") or {}).get(SKIP) == "true" or LEADER in (meta.get("annotations") or {})
    return service is not None and not service["spec"].get("selector") and not skipped


def blueprint(endpoints: Json) -> Blueprint:
    """What the mirrored slices look like."""
    meta = endpoints["metadata"]
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k != HEADLESS}
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if k != LAST_APPLIED}
    return Blueprint(
        namespace=meta["namespace"],
        generate_name=f"{meta['name']}-",
        labels=labels | {SERVICE_NAME: meta["name"], MANAGED_BY: CONTROLLER},
        owner=reference_to(endpoints, ENDPOINTS),
        families=("IPv4", "IPv6"),
        placeholder=False,
        annotations=annotations,
    )


def groups_of(endpoints: Json) -> list[Group]:
    """The addresses of ``endpoints`` by family and ports (pure)."""
    groups: dict[tuple[str, str], Group] = {}
    for subset in endpoints.get("subsets") or ():
        ports = [{"protocol": "TCP", **p, "name": p.get("name") or ""} for p in subset.get("ports") or ()]
        states = [(a, True) for a in subset.get("addresses") or ()]
        states += [(a, False) for a in subset.get("notReadyAddresses") or ()]
        for address, ready in states[:MAX_PER_SUBSET]:
            family = f"IPv{ipaddress.ip_address(address['ip']).version}"
            endpoint = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
            endpoint |= {k: address[k] for k in ("hostname", "nodeName", "targetRef") if address.get(k)}
            group = Group(family, ports)
            groups.setdefault(group.key, group).add(endpoint)
    return list(groups.values())


class MirroringController:
    """Keeps a mirror of each hand-made Endpoints object."""

    def __init__(self, cluster: Cluster) -> None:
        self.queue = WorkQueue("endpointslicemirroring", self.sync)
        self._services = cluster.store(SERVICES)
        self._endpoints = cluster.store(ENDPOINTS)
        self._slices = cluster.store(ENDPOINT_SLICES)
        self._services.subscribe(lambda _event, service, _before: self.queue.add(key(service)))
        self._endpoints.subscribe(lambda _event, endpoints, _before: self.queue.add(key(endpoints)))
        self._slices.subscribe(self._on_slice)

    async def sync(self, endpoints_key: str) -> None:
        """Bring the mirror of one Endpoints object in order."""
        endpoints, namespace, name = self._endpoints.get(endpoints_key), *endpoints_key.split("/")
        existing = [piece for piece in self._slices.within(namespace) if _is_mirror_of(piece, name)]
        if endpoints is None or not wanted(endpoints, self._services.get(endpoints_key)):
            for piece in existing:
                await self._slices.delete(piece)
            return
        await apply(self._slices, assign(blueprint(endpoints), groups_of(endpoints), existing))

    def _on_slice(self, _event: str, piece: Json, _before: Json | None) -> None:
        labels = piece["metadata"].get("labels") or {}
        if labels.get(MANAGED_BY) == CONTROLLER and labels.get(SERVICE_NAME):
            self.queue.add(f"{piece['metadata']['namespace']}/{labels[SERVICE_NAME]}")


def _is_mirror_of(piece: Json, name: str) -> bool:
    labels = piece["metadata"].get("labels") or {}
    return labels.get(SERVICE_NAME) == name and labels.get(MANAGED_BY) == CONTROLLER
