"""From the API's JSON to the nouns: lenient where the API has a default, strict where a value makes no sense.

Defaults are those of the API server (``defaults.go`` of ``pkg/apis/core/v1`` and ``pkg/apis/discovery/v1``), so that an
object that never met one (written by hand, or on its way through an embedded API) means the same.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import ClusterState, ProxyConfig
from conformance.model.kube import (
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    IPMode,
    Node,
    Policy,
    Service,
    ServicePort,
    ServiceType,
)

Json = Mapping[str, Any]

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
ZONE_LABEL = "topology.kubernetes.io/zone"
DEFAULT_AFFINITY_SECONDS = 10800

_E = TypeVar("_E", bound=Enum)


class MalformedObject(ValueError):  # noqa: N818  a fault of the object, reported with its name
    """An API object has a value that the API would not have stored; the message names object, field and value."""


def service(obj: Json) -> Service:
    """The Service in ``obj``; raises `MalformedObject`."""
    what, meta, spec = _open(obj, "Service")
    status = _mapping(obj, "status", what)
    ingress = _mapping(status, "loadBalancer", what).get("ingress") or ()
    cluster_ips = tuple(spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else []))
    for ip in cluster_ips:
        if ip != "None":
            _address(ip, what, "spec.clusterIPs")
    families = spec.get("ipFamilies") or [Family.of(ip).value for ip in cluster_ips if ip != "None"]
    return Service(
        namespace=meta.get("namespace") or "default",
        name=meta["name"],
        type=_enum(ServiceType, spec.get("type") or "ClusterIP", what, "spec.type"),
        ports=tuple(_service_port(p, what) for p in spec.get("ports") or ()),
        cluster_ips=cluster_ips,
        ip_families=tuple(_enum(Family, f, what, "spec.ipFamilies") for f in families),
        external_ips=tuple(_address(ip, what, "spec.externalIPs") for ip in spec.get("externalIPs") or ()),
        ingress=tuple(
            Ingress(
                _address(i["ip"], what, "status.loadBalancer.ingress[].ip"),
                _enum(IPMode, i.get("ipMode") or "VIP", what, "status.loadBalancer.ingress[].ipMode"),
            )
            for i in ingress
            if i.get("ip")
        ),
        internal_policy=_enum(
            Policy, spec.get("internalTrafficPolicy") or "Cluster", what, "spec.internalTrafficPolicy"
        ),
        external_policy=_enum(
            Policy, spec.get("externalTrafficPolicy") or "Cluster", what, "spec.externalTrafficPolicy"
        ),
        affinity_seconds=_affinity(spec, what),
        source_ranges=tuple(_cidr(r, what) for r in spec.get("loadBalancerSourceRanges") or ()),
        health_check_node_port=_port(spec.get("healthCheckNodePort", 0) or 0, what, "spec.healthCheckNodePort"),
        publish_not_ready=bool(spec.get("publishNotReadyAddresses")),
        traffic_distribution=spec.get("trafficDistribution") or "",
        external_name=spec.get("externalName") or "",
        labels=dict(meta.get("labels") or {}),
    )


def endpoint_slice(obj: Json) -> EndpointSlice:
    """The EndpointSlice in ``obj``; raises `MalformedObject`, also for addressType FQDN, which routes nothing."""
    what, meta, _ = _open(obj, "EndpointSlice")
    family = _enum(Family, obj.get("addressType"), what, "addressType")
    labels = dict(meta.get("labels") or {})
    return EndpointSlice(
        namespace=meta.get("namespace") or "default",
        name=meta["name"],
        service=labels.get(SERVICE_NAME_LABEL, ""),
        family=family,
        ports=tuple(
            EndpointPort(
                name=p.get("name") or "",
                protocol=_enum(Protocol, p.get("protocol") or "TCP", what, "ports[].protocol"),
                port=None if p.get("port") is None else _port(p["port"], what, "ports[].port"),
            )
            for p in obj.get("ports") or ()
        ),
        endpoints=tuple(_endpoint(e, family, what) for e in obj.get("endpoints") or ()),
        labels=labels,
    )


def node(obj: Json, local: Iterable[str] = ()) -> Node:
    """The Node in ``obj``; ``local`` are addresses of its interfaces that the API does not know."""
    what, meta, spec = _open(obj, "Node")
    labels = dict(meta.get("labels") or {})
    stated = _mapping(obj, "status", what).get("addresses") or ()
    own = tuple(_address(a["address"], what, "status.addresses") for a in stated if a.get("type") == "InternalIP")
    pod_cidrs = spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else [])
    return Node(
        name=meta["name"],
        addresses=own,
        local=tuple(_address(a, what, "local") for a in local if a not in own),
        pod_cidrs=tuple(_cidr(c, what) for c in pod_cidrs),
        zone=labels.get(ZONE_LABEL, ""),
        labels=labels,
    )


def cluster_state(
    services: Iterable[Json],
    slices: Iterable[Json],
    nodes: Iterable[Json],
    proxy: ProxyConfig | None = None,
    local: Mapping[str, Iterable[str]] | None = None,
) -> ClusterState:
    """One view of three lists; ``local`` are the nodes' addresses that the API does not know, by node name.

    Slices of FQDNs and slices without a Service are left out: nothing is routed by them.
    """
    parsed = [endpoint_slice(s) for s in slices if s.get("addressType") != "FQDN"]
    by_service: dict[str, tuple[EndpointSlice, ...]] = {}
    for one in parsed:
        if one.service:
            key = f"{one.namespace}/{one.service}"
            by_service[key] = (*by_service.get(key, ()), one)
    extra = local or {}
    return ClusterState(
        services={s.key: s for s in map(service, services)},
        slices=by_service,
        nodes={n.name: n for n in (node(o, extra.get(_name(o), ())) for o in nodes)},
        proxy=proxy or ProxyConfig(),
    )


def _open(obj: Json, kind: str) -> tuple[str, Json, Json]:
    """A name for messages, the metadata and the spec of ``obj``."""
    if not isinstance(obj, Mapping):
        raise MalformedObject(f"a {kind} is {type(obj).__name__}, not an object")
    if obj.get("kind", kind) != kind:
        raise MalformedObject(f"expected a {kind}, got a {obj['kind']}")
    if not _name(obj):
        raise MalformedObject(f"a {kind} has no metadata.name")
    what = f"{kind} {_name(obj)}"
    return what, _mapping(obj, "metadata", what), _mapping(obj, "spec", what)


def _name(obj: Json) -> str:
    meta = obj.get("metadata")
    name = meta.get("name") if isinstance(meta, Mapping) else None
    return name if isinstance(name, str) else ""


def _mapping(obj: Json, field: str, what: str) -> Json:
    value = obj.get(field)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise MalformedObject(f"{what}: {field} is {type(value).__name__}, not an object")
    return value


def _enum(kind: type[_E], value: object, what: str, field: str) -> _E:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(m.value) for m in kind)
        raise MalformedObject(f"{what}: {field} is {value!r}, none of {known}") from None


def _address(value: object, what: str, field: str) -> str:
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        raise MalformedObject(f"{what}: {field} has {value!r}, which is no IP address") from None


def _cidr(value: object, what: str) -> str:
    # The API's validation lets blanks around a source range pass; kube-proxy trims them.
    try:
        return str(ipaddress.ip_network(str(value).strip(), strict=False))
    except ValueError:
        raise MalformedObject(f"{what}: {value!r} is no CIDR") from None


def _port(value: object, what: str, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise MalformedObject(f"{what}: {field} is {value!r}, which is no port")
    return value


def _service_port(port: Json, what: str) -> ServicePort:
    number = _port(port.get("port"), what, "spec.ports[].port")
    target = port.get("targetPort")
    return ServicePort(
        name=port.get("name") or "",
        protocol=_enum(Protocol, port.get("protocol") or "TCP", what, "spec.ports[].protocol"),
        port=number,
        target_port=target if isinstance(target, str) and target else _port(target or number, what, "targetPort"),
        node_port=_port(port.get("nodePort", 0) or 0, what, "spec.ports[].nodePort"),
    )


def _affinity(spec: Json, what: str) -> int | None:
    kind = spec.get("sessionAffinity") or "None"
    if kind == "None":
        return None
    if kind != "ClientIP":
        raise MalformedObject(f"{what}: spec.sessionAffinity is {kind!r}, none of None, ClientIP")
    client_ip = _mapping(_mapping(spec, "sessionAffinityConfig", what), "clientIP", what)
    seconds = client_ip.get("timeoutSeconds", DEFAULT_AFFINITY_SECONDS)
    if not isinstance(seconds, int):
        raise MalformedObject(f"{what}: sessionAffinityConfig.clientIP.timeoutSeconds is {seconds!r}")
    return seconds


def _endpoint(obj: Json, family: Family, what: str) -> Endpoint:
    conditions, hints = _mapping(obj, "conditions", what), _mapping(obj, "hints", what)
    target = _mapping(obj, "targetRef", what)
    addresses = tuple(_address(a, what, "endpoints[].addresses") for a in obj.get("addresses") or ())
    for address in addresses:
        if Family.of(address) is not family:
            raise MalformedObject(f"{what}: {address} is not {family.value}, the slice's addressType")
    return Endpoint(
        addresses=addresses,
        node=obj.get("nodeName") or "",
        zone=obj.get("zone") or "",
        ready=conditions.get("ready") is not False,
        serving=conditions.get("serving") is not False,
        terminating=conditions.get("terminating") is True,
        pod=(target.get("name") or "") if target.get("kind") == "Pod" else "",
        hint_zones=tuple(z["name"] for z in hints.get("forZones") or ()),
        hint_nodes=tuple(n["name"] for n in hints.get("forNodes") or ()),
    )
