"""From the API's JSON to the nouns: lenient where the API has a default, strict where a value makes no sense.

Defaults are those of the API server (``defaults.go`` of ``pkg/apis/core/v1`` and ``pkg/apis/discovery/v1``), so that an
object that never met one (written by hand, or on its way through an embedded API) means the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import ClusterState, ProxyConfig
from conformance.model.fields import Fields, Json, MalformedObject
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

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
ZONE_LABEL = "topology.kubernetes.io/zone"
DEFAULT_AFFINITY_SECONDS = 10800


def service(obj: Json) -> Service:
    """The Service in ``obj``; raises `MalformedObject`."""
    plain, meta = _open(obj, "Service")
    spec, balancer = plain.part("spec"), plain.part("status").part("loadBalancer")
    cluster_ips = spec.addresses("clusterIPs", besides="None")
    if not cluster_ips and spec.text("clusterIP"):
        cluster_ips = ("None",) if spec.text("clusterIP") == "None" else (spec.address("clusterIP"),)
    families = spec.choices("ipFamilies", Family)
    return Service(
        namespace=meta.text("namespace", "default"),
        name=meta.text("name"),
        type=spec.choice("type", ServiceType, "ClusterIP"),
        ports=tuple(_service_port(p) for p in spec.parts("ports")),
        cluster_ips=cluster_ips,
        ip_families=families or tuple(Family.of(ip) for ip in cluster_ips if ip != "None"),
        external_ips=spec.addresses("externalIPs"),
        ingress=tuple(_ingress(i) for i in balancer.parts("ingress") if i.text("ip")),
        internal_policy=spec.choice("internalTrafficPolicy", Policy, "Cluster"),
        external_policy=spec.choice("externalTrafficPolicy", Policy, "Cluster"),
        affinity_seconds=_affinity(spec),
        source_ranges=spec.cidrs("loadBalancerSourceRanges"),
        health_check_node_port=spec.port("healthCheckNodePort", 0),
        publish_not_ready=spec.flag("publishNotReadyAddresses") is True,
        traffic_distribution=spec.text("trafficDistribution"),
        external_name=spec.text("externalName"),
        labels=meta.labels("labels"),
    )


def endpoint_slice(obj: Json) -> EndpointSlice:
    """The EndpointSlice in ``obj``; raises `MalformedObject`, also for addressType FQDN, which routes nothing."""
    plain, meta = _open(obj, "EndpointSlice")
    family, labels = plain.choice("addressType", Family), meta.labels("labels")
    return EndpointSlice(
        namespace=meta.text("namespace", "default"),
        name=meta.text("name"),
        service=labels.get(SERVICE_NAME_LABEL, ""),
        family=family,
        ports=tuple(
            EndpointPort(
                name=p.text("name"),
                protocol=_protocol(p),
                port=p.port("port") if p.has("port") else None,
            )
            for p in plain.parts("ports")
        ),
        endpoints=tuple(_endpoint(e, family) for e in plain.parts("endpoints")),
        labels=labels,
    )


def node(obj: Json, local: Iterable[str] = ()) -> Node:
    """The Node in ``obj``; ``local`` are addresses of its interfaces that the API does not know."""
    plain, meta = _open(obj, "Node")
    spec, labels = plain.part("spec"), meta.labels("labels")
    stated = plain.part("status").parts("addresses")
    own = tuple(a.address("address") for a in stated if a.text("type") == "InternalIP")
    known = Fields(plain.what, {"local": list(local), "podCIDRs": [spec.text("podCIDR")]})
    return Node(
        name=meta.text("name"),
        addresses=own,
        local=tuple(a for a in known.addresses("local") if a not in own),
        pod_cidrs=spec.cidrs("podCIDRs") or (known.cidrs("podCIDRs") if spec.text("podCIDR") else ()),
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
    by_service: dict[str, tuple[EndpointSlice, ...]] = {}
    for plain in slices:
        if _open(plain, "EndpointSlice")[0].text("addressType") == "FQDN":
            continue
        one = endpoint_slice(plain)
        if one.service:
            key = f"{one.namespace}/{one.service}"
            by_service[key] = (*by_service.get(key, ()), one)
    extra = local or {}
    named = [(_open(plain, "Node")[1].text("name"), plain) for plain in nodes]
    return ClusterState(
        services={s.key: s for s in map(service, services)},
        slices=by_service,
        nodes={name: node(plain, extra.get(name, ())) for name, plain in named},
        proxy=proxy or ProxyConfig(),
    )


def _open(obj: object, kind: str) -> tuple[Fields, Fields]:
    """The object and its metadata, after a look at what it is."""
    plain = Fields(f"a {kind}", obj)
    if plain.text("kind", kind) != kind:
        raise MalformedObject(f"expected a {kind}, got a {plain.text('kind')}")
    name = plain.part("metadata").text("name")
    if not name:
        raise MalformedObject(f"a {kind} has no metadata.name")
    named = Fields(f"{kind} {name}", obj)
    return named, named.part("metadata")


def _protocol(port: Fields) -> Protocol:
    protocol = port.choice("protocol", Protocol, "TCP")
    if protocol is Protocol.ICMP:
        raise MalformedObject(f"{port.what}: protocol is 'ICMP', none of TCP, UDP, SCTP")
    return protocol


def _service_port(port: Fields) -> ServicePort:
    number = port.port("port")
    return ServicePort(
        name=port.text("name"),
        protocol=_protocol(port),
        port=number,
        target_port=port.target("targetPort", number) or number,
        node_port=port.port("nodePort", 0),
    )


def _ingress(ingress: Fields) -> Ingress:
    return Ingress(ingress.address("ip"), ingress.choice("ipMode", IPMode, "VIP"))


def _affinity(spec: Fields) -> int | None:
    kind = spec.text("sessionAffinity", "None")
    if kind == "None":
        return None
    if kind != "ClientIP":
        raise MalformedObject(f"{spec.what}: spec.sessionAffinity is {kind!r}, none of None, ClientIP")
    return spec.part("sessionAffinityConfig").part("clientIP").number("timeoutSeconds", DEFAULT_AFFINITY_SECONDS)


def _endpoint(endpoint: Fields, family: Family) -> Endpoint:
    conditions, hints, target = endpoint.part("conditions"), endpoint.part("hints"), endpoint.part("targetRef")
    addresses = endpoint.addresses("addresses")
    for address in addresses:
        if Family.of(address) is not family:
            raise MalformedObject(f"{endpoint.what}: {address} is not {family.value}, the slice's addressType")
    return Endpoint(
        addresses=addresses,
        node=endpoint.text("nodeName"),
        zone=endpoint.text("zone"),
        ready=conditions.flag("ready") is not False,
        serving=conditions.flag("serving") is not False,
        terminating=conditions.flag("terminating") is True,
        pod=target.text("name") if target.text("kind") == "Pod" else "",
        hint_zones=tuple(z.text("name") for z in hints.parts("forZones")),
        hint_nodes=tuple(n.text("name") for n in hints.parts("forNodes")),
        hostname=endpoint.text("hostname"),
    )
