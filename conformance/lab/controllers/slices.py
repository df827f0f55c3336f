"""Which EndpointSlices a Service should have (pure), as kube-controller-manager 1.36 decides it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from conformance.lab import conditions
from conformance.lab.controllers import pods as podlib
from conformance.lab.controllers.cluster import SERVICES, reference_to
from conformance.lab.controllers.packing import MANAGED_BY, SERVICE_NAME, Blueprint, Changes, Group, assign

Json = dict[str, Any]

CONTROLLER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
ZONE = "topology.kubernetes.io/zone"
_RESERVED = frozenset((MANAGED_BY, SERVICE_NAME, HEADLESS))
_ZONAL = frozenset(("PreferClose", "PreferSameZone", "PreferSameNode"))


def reconcile(
    service: Json, pods: Iterable[Json], nodes: Mapping[str, Json], existing: Iterable[Json], trigger_time: str = ""
) -> Changes:
    """The writes that turn ``existing`` into what ``service`` and the ``pods`` it selects call for.

    ``nodes`` are by name; new slices have no names yet.
    """
    return assign(_blueprint(service, trigger_time), _groups(service, pods, nodes), existing)


def families_of(service: Json) -> tuple[str, ...]:
    """The address types of a Service's slices."""
    spec = service["spec"]
    if families := spec.get("ipFamilies"):
        return tuple(families)
    if headless(service):
        return "IPv4", "IPv6"
    return ("IPv6",) if ":" in spec["clusterIP"] else ("IPv4",)


def headless(service: Json) -> bool:
    """Whether the Service has no cluster IP."""
    return service["spec"].get("clusterIP") in (None, "", "None")


def _blueprint(service: Json, trigger_time: str) -> Blueprint:
    meta = service["metadata"]
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k not in _RESERVED}
    if headless(service):
        labels[HEADLESS] = ""
    return Blueprint(
        namespace=meta["namespace"],
        generate_name=f"{meta['name']}-",
        labels=labels | {SERVICE_NAME: meta["name"], MANAGED_BY: CONTROLLER},
        owner=reference_to(service, SERVICES),
        families=families_of(service),
        placeholder=True,
        trigger_time=trigger_time,
    )


def _groups(service: Json, pods: Iterable[Json], nodes: Mapping[str, Json]) -> list[Group]:
    groups: dict[tuple[str, str], Group] = {}
    publish_all = service["spec"].get("publishNotReadyAddresses")
    for pod in pods:
        node = nodes.get(pod["spec"].get("nodeName") or "")
        # As upstream: a pod whose node is unknown is no endpoint, unless unready ones are wanted anyway.
        if not podlib.serves(pod, include_terminating=True) or (node is None and not publish_all):
            continue
        ports = _ports(service, pod)
        for family in families_of(service):
            if addresses := podlib.addresses(pod, family):
                group = Group(family, ports)
                groups.setdefault(group.key, group).add(_endpoint(pod, node, service, addresses))
    return list(groups.values())


def _endpoint(pod: Json, node: Json | None, service: Json, addresses: list[str]) -> Json:
    serving, terminating = conditions.ready(pod), podlib.terminating(pod)
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    meta = pod["metadata"]
    endpoint: Json = {
        "addresses": addresses,
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta.get("uid", "")},
    }
    if name := pod["spec"].get("nodeName"):
        endpoint["nodeName"] = name
    if zone := ((node or {}).get("metadata", {}).get("labels") or {}).get(ZONE):
        endpoint["zone"] = zone
    if hostname := podlib.hostname_for(pod, service):
        endpoint["hostname"] = hostname
    if hints := _hints(endpoint, service["spec"].get("trafficDistribution") or ""):
        endpoint["hints"] = hints
    return endpoint


def _ports(service: Json, pod: Json) -> list[Json]:
    found = []
    for port in service["spec"].get("ports") or ():
        number = podlib.port_number(pod, port)
        if number is not None:
            entry = {"name": port.get("name") or "", "protocol": port.get("protocol", "TCP"), "port": number}
            if port.get("appProtocol"):
                entry["appProtocol"] = port["appProtocol"]
            found.append(entry)
    return found


def _hints(endpoint: Json, distribution: str) -> Json:
    hints: Json = {}
    if distribution in _ZONAL and endpoint["conditions"]["ready"]:
        if "zone" in endpoint:
            hints["forZones"] = [{"name": endpoint["zone"]}]
        if distribution == "PreferSameNode" and "nodeName" in endpoint:
            hints["forNodes"] = [{"name": endpoint["nodeName"]}]
    return hints
