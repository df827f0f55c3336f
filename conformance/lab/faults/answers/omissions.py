"""Taking out of a Service what the API server was to fill in. Pure, but for the object that is changed in place."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_DEFAULTED = (
    "type",
    "sessionAffinity",
    "internalTrafficPolicy",
    "externalTrafficPolicy",
    "allocateLoadBalancerNodePorts",
    "ipFamilyPolicy",
)
_DEFAULTED_OF_PORT = ("protocol", "targetPort")


def without_defaults(service: Json, asked: Json) -> None:
    """Only what was ``asked`` for is there; an address or port that was allocated is no default."""
    spec, wanted = service["spec"], asked.get("spec", {})
    for field in _DEFAULTED:
        if not wanted.get(field):
            spec.pop(field, None)
    # Those of addresses are no default: they say what has been allocated.
    if spec.get("clusterIP") == "None" and not wanted.get("ipFamilies"):
        spec.pop("ipFamilies", None)
    if not (wanted.get("sessionAffinityConfig") or {}).get("clientIP"):
        spec.pop("sessionAffinityConfig", None)
    for port, original in zip(spec.get("ports", []), wanted.get("ports", []), strict=False):
        for field in _DEFAULTED_OF_PORT:
            if not original.get(field):
                port.pop(field, None)
    for entry, original in zip(_ingress(service), _ingress(asked), strict=False):
        if "ipMode" not in original:
            entry.pop("ipMode", None)


def without_allocations(service: Json, asked: Json, old: Json | None) -> None:
    """Only the addresses and ports that were ``asked`` for, or that the Service had, are there."""
    spec, before = service["spec"], (old or {}).get("spec", {})
    known = {*_addresses(asked.get("spec", {})), *_addresses(before)}
    addresses = [each for each in spec.get("clusterIPs", []) if each in known]
    for field, value in (("clusterIPs", addresses), ("clusterIP", addresses[0] if addresses else "")):
        if value:
            spec[field] = value
        else:
            spec.pop(field, None)
    ports = _node_ports(asked.get("spec", {})) | _node_ports(before)
    for port in spec.get("ports", []):
        if port.get("nodePort") not in ports:
            port.pop("nodePort", None)
    if spec.get("healthCheckNodePort") not in ports:
        spec.pop("healthCheckNodePort", None)


def _ingress(service: Json) -> list[Json]:
    entries: list[Json] = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
    return entries


def _addresses(spec: Json) -> list[str]:
    return [*(spec.get("clusterIPs") or ()), *([spec["clusterIP"]] if spec.get("clusterIP") else ())]


def _node_ports(spec: Json) -> set[int]:
    used = {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}
    return used | ({spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else set())
