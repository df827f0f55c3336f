"""The node ports and the health check node port that a Service gets and gives back."""

from __future__ import annotations

from typing import Any

from conformance.lab.api import status
from conformance.lab.api.allocation import Allocation, Full, NodePorts, Refused
from conformance.lab.api.resources import resource
from conformance.lab.api.status import FieldError
from conformance.lab.api.validation.services import needs_health_check

Json = dict[str, Any]


def has_node_ports(spec: Json) -> bool:
    """The type is one that has node ports."""
    return spec.get("type") in ("NodePort", "LoadBalancer")


def wants_node_ports(spec: Json) -> bool:
    """Ports without a node port get one."""
    if spec.get("type") == "LoadBalancer":
        return bool(spec.get("allocateLoadBalancerNodePorts", True))
    return spec.get("type") == "NodePort"


def used(spec: Json) -> list[int]:
    """The node ports of a Service."""
    return [port["nodePort"] for port in spec.get("ports", []) if port.get("nodePort")]


def carry_over(spec: Json, before: Json) -> None:
    """Keep allocated values that an update left out: by name of the port, as the API does."""
    if wants_node_ports(spec) and wants_node_ports(before):
        both = set(used(spec)) & set(used(before))
        known = {port.get("name", ""): port.get("nodePort", 0) for port in before.get("ports", [])}
        for port in spec.get("ports", []):
            number = known.get(port.get("name", ""), 0)
            if not port.get("nodePort") and number and number not in both:
                port["nodePort"] = number
    checked = before.get("healthCheckNodePort") if needs_health_check(before) else None
    if checked and needs_health_check(spec) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = checked


def allocate(name: str, spec: Json, before: Json | None, ports: NodePorts, allocation: Allocation) -> None:
    """Take and give back node ports; 422 where an asked one cannot be had."""
    if has_node_ports(spec):
        if before is None:
            _first(name, spec, ports, allocation)
        else:
            _change(name, spec, before, ports, allocation)
    elif before is not None and has_node_ports(before):
        release(before, ports, allocation)
    needed, needs = before is not None and needs_health_check(before), needs_health_check(spec)
    if needs and not needed:
        _health_check(spec, ports, allocation)
    elif needed and not needs and before is not None:
        ports.give(before.get("healthCheckNodePort", 0), allocation)


def release(spec: Json, ports: NodePorts, allocation: Allocation) -> None:
    """Give back every node port but the health check's."""
    for number in used(spec):
        ports.give(number, allocation)


def _first(name: str, spec: Json, ports: NodePorts, allocation: Allocation) -> None:
    """A new Service's ports: those with one port number (DNS over TCP and UDP) share one node port."""
    shared: dict[int, int] = {}
    every: list[Json] = spec.get("ports", [])
    for index, port in enumerate(every):
        number = port.get("port", 0)
        if not port.get("nodePort") and not wants_node_ports(spec):
            continue
        known = shared.get(number)
        if known is None:
            asked = next((each["nodePort"] for each in every if each.get("port") == number and each.get("nodePort")), 0)
            if asked:
                _take(name, index, asked, ports, allocation)
            port["nodePort"] = shared[number] = asked or _next(ports, allocation)
        elif not port.get("nodePort"):
            port["nodePort"] = known
        elif port["nodePort"] != known:
            _take(name, index, port["nodePort"], ports, allocation)


def _change(name: str, spec: Json, before: Json, ports: NodePorts, allocation: Allocation) -> None:
    old = used(before)
    taken: set[int] = set()
    for index, port in enumerate(spec.get("ports", [])):
        number = port.get("nodePort", 0)
        if number:
            if number not in old and number not in taken:
                _take(name, index, number, ports, allocation)
                taken.add(number)
        elif wants_node_ports(spec):
            port["nodePort"] = _next(ports, allocation)
    kept = set(used(spec))
    for number in dict.fromkeys(old):
        if number not in kept:
            ports.give(number, allocation)


def _take(name: str, index: int, number: int, ports: NodePorts, allocation: Allocation) -> None:
    try:
        ports.take(number, allocation)
    except Refused as why:
        error = FieldError.invalid(f"spec.ports[{index}].nodePort", number, str(why))
        raise status.invalid(resource("", "services"), name, [error]) from why


def _next(ports: NodePorts, allocation: Allocation) -> int:
    try:
        return ports.next(allocation)
    except Full as why:
        raise status.internal_error(f"failed to allocate a nodePort: {why}") from why


def _health_check(spec: Json, ports: NodePorts, allocation: Allocation) -> None:
    asked = spec.get("healthCheckNodePort", 0)
    if not asked:
        spec["healthCheckNodePort"] = _next(ports, allocation)
        return
    try:
        ports.take(asked, allocation)
    except Refused as why:
        message = f"failed to allocate requested HealthCheck NodePort {asked}: {why}"
        raise status.internal_error(message) from why
