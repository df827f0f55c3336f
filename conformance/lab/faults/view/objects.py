"""Services and slices changed, without a touch to the ones that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = dict[str, Any]


def spec(service: Json) -> Json:
    """A Service's spec."""
    found: Json = service.get("spec") or {}
    return found


def with_spec(service: Json, fields: Mapping[str, Any]) -> Json:
    """The Service with these fields in its spec; None takes one out."""
    merged = {**spec(service), **fields}
    return {**service, "spec": {name: value for name, value in merged.items() if value is not None}}


def ingress(service: Json) -> tuple[Json, ...]:
    """What a Service's status tells of its load balancer."""
    return tuple(((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ())


def with_ingress(service: Json, entries: Iterable[Json]) -> Json:
    """The Service with these entries in its load balancer's status."""
    status = service.get("status") or {}
    return {**service, "status": {**status, "loadBalancer": {"ingress": list(entries)}}}


def without_labels(obj: Json, names: Iterable[str]) -> Json:
    """The object without the labels of these names."""
    labels = obj["metadata"].get("labels") or {}
    kept = {name: value for name, value in labels.items() if name not in names}
    return {**obj, "metadata": {**obj["metadata"], "labels": kept}}


def local(service: Json) -> bool:
    """Whether any traffic policy of the Service is Local."""
    return "Local" in (spec(service).get("internalTrafficPolicy"), spec(service).get("externalTrafficPolicy"))


def endpoints(one: Json) -> tuple[Json, ...]:
    """The endpoints of a slice."""
    return tuple(one.get("endpoints") or ())


def with_endpoints(one: Json, change: Callable[[Json], Json | None]) -> Json:
    """The slice with every endpoint changed; None takes it out."""
    changed = [change(endpoint) for endpoint in endpoints(one)]
    return {**one, "endpoints": [endpoint for endpoint in changed if endpoint is not None]}


def is_ready(endpoint: Json) -> bool:
    """Whether it is ready; one that says nothing of itself is."""
    return (endpoint.get("conditions") or {}).get("ready") is not False


def terminates(endpoint: Json) -> bool:
    """Whether it terminates."""
    return bool((endpoint.get("conditions") or {}).get("terminating"))


def with_conditions(endpoint: Json, **conditions: bool) -> Json:
    """The endpoint with these conditions changed."""
    return {**endpoint, "conditions": {**(endpoint.get("conditions") or {}), **conditions}}
