"""The Endpoints controller: the old form of a Service's endpoints, for those who still read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from conformance.lab import conditions
from conformance.lab.client import ApiError
from conformance.lab.controllers import pods as podlib
from conformance.lab.controllers.cluster import ENDPOINTS, PODS, SERVICES, Cluster
from conformance.lab.controllers.endpoint_slices import SelectingServices, namespace_terminating, selected, selects
from conformance.lab.controllers.packing import TRIGGER_TIME
from conformance.lab.controllers.slices import HEADLESS, families_of, headless
from conformance.lab.controllers.trigger_times import TriggerTimes
from conformance.lab.controllers.workqueue import WorkQueue

Json = dict[str, Any]

CAPACITY = 1000
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"


def desired_endpoints(service: Json, pods: Iterable[Json]) -> Json:
    """The Endpoints object of ``service`` for the ``pods`` it selects: its first family only (pure)."""
    family, publish_all = families_of(service)[0], bool(service["spec"].get("publishNotReadyAddresses"))
    # Addresses with the same set of ports share a subset, ready and not ready ones apart within it.
    by_address: dict[str, tuple[Json, bool, dict[str, Json]]] = {}
    for pod in pods:
        ips = podlib.addresses(pod, family)
        if not ips or not podlib.serves(pod, include_terminating=publish_all):
            continue
        address = _address(pod, service, ips[0])
        ports = {}
        for port in service["spec"].get("ports") or ():
            number = podlib.port_number(pod, port)
            if number is not None:
                entry = {"name": port.get("name"), "port": number, "protocol": port.get("protocol", "TCP")}
                entry["appProtocol"] = port.get("appProtocol")
                ports[json.dumps(entry)] = {k: v for k, v in entry.items() if v}
        if ports or (headless(service) and not service["spec"].get("ports")):
            by_address[ips[0]] = (address, publish_all or conditions.ready(pod), ports)
    subsets: dict[tuple[str, ...], Json] = {}
    room = CAPACITY
    for address, ready, ports in sorted(by_address.values(), key=lambda e: (not e[1], e[0]["ip"])):
        if room == 0:
            break
        room -= 1
        names = tuple(sorted(ports))
        subset = subsets.setdefault(names, {"ports": [ports[n] for n in names]} if names else {})
        subset.setdefault("addresses" if ready else "notReadyAddresses", []).append(address)
    labels = {**(service["metadata"].get("labels") or {}), MANAGED_BY: "endpoint-controller"}
    if headless(service):
        labels[HEADLESS] = ""
    annotations = {OVER_CAPACITY: "truncated"} if len(by_address) > CAPACITY else {}
    meta = service["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "labels": labels,
            "annotations": annotations,
        },
        "subsets": [subsets[names] for names in sorted(subsets)],
    }


class EndpointsController:
    """Keeps one Endpoints object for each Service with a selector."""

    def __init__(self, cluster: Cluster) -> None:
        self.queue = WorkQueue("endpoints", self.sync)
        self._services = cluster.store(SERVICES)
        self._pods = cluster.store(PODS)
        self._endpoints = cluster.store(ENDPOINTS)
        self._times = TriggerTimes()
        changed = SelectingServices(self._services, self.queue)
        self._services.subscribe(changed.on_service)
        self._pods.subscribe(changed.on_pod)
        self._endpoints.subscribe(self._on_endpoints)

    async def sync(self, service_key: str) -> None:
        """Bring the Endpoints of one Service in order."""
        service, existing = self._services.get(service_key), self._endpoints.get(service_key)
        if service is None:
            self._times.forget(service_key)
            if existing is not None:
                await self._endpoints.delete(existing)
            return
        if not selects(service):
            return
        pods = selected(service, self._pods)
        wanted = desired_endpoints(service, pods)
        trigger = self._times.next(service_key, service, pods)
        if existing is not None and _content(existing) == _content(wanted):
            return
        if trigger:
            wanted["metadata"]["annotations"][TRIGGER_TIME] = trigger
        try:
            if existing is None:
                await self._endpoints.create(wanted)
            else:
                before = existing["metadata"].get("annotations") or {}
                kept = {k: v for k, v in before.items() if k not in (TRIGGER_TIME, OVER_CAPACITY)}
                wanted["metadata"]["annotations"] |= kept
                wanted["metadata"] = {**existing["metadata"], **wanted["metadata"]}
                await self._endpoints.update(wanted)
        except ApiError as error:
            if not namespace_terminating(error):
                raise

    def _on_endpoints(self, _event: str, endpoints: Json, _before: Json | None) -> None:
        meta = endpoints["metadata"]
        # Hand-made ones, of Services without selector or of none at all, are not ours to touch.
        if MANAGED_BY in (meta.get("labels") or {}) or self._services.get(f"{meta['namespace']}/{meta['name']}"):
            self.queue.add(f"{meta['namespace']}/{meta['name']}")


def _address(pod: Json, service: Json, ip: str) -> Json:
    meta = pod["metadata"]
    address: Json = {
        "ip": ip,
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta.get("uid", "")},
    }
    if node := pod["spec"].get("nodeName"):
        address["nodeName"] = node
    if hostname := podlib.hostname_for(pod, service):
        address["hostname"] = hostname
    return address


def _content(endpoints: Json) -> Json:
    meta = endpoints["metadata"]
    return {
        "labels": meta.get("labels") or {},
        "truncated": OVER_CAPACITY in (meta.get("annotations") or {}),
        "subsets": endpoints.get("subsets") or [],
    }
