"""An imaginary three-node cluster in which every cell can be bound: what `explain` and the agreement test need."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.model.addresses import Family, Protocol
from conformance.model.case import Backend, ServiceSpec
from conformance.model.client import Client, ClientKind
from conformance.model.cluster import ClusterState, ProxyConfig
from conformance.model.kube import (
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    Node,
    Service,
    ServicePort,
    ServiceType,
)
from conformance.plan.landscape import ROLES, ExternalSite, Landscape

NAMESPACE = "imagined"
BACKEND_PORT = 8080
_FAMILIES = (Family.IPV4, Family.IPV6)
_ADDRESSES = {
    Family.IPV4: ("10.96.0.{}", "172.30.99.{}", "172.31.98.{}", "10.244.{}.{}", "198.51.100.{}", "203.0.113.{}"),
    Family.IPV6: ("fd00:96::{:x}", "fd99::{}", "fd98::{}", "fd44:{}::{:x}", "2001:db8:100::{:x}", "2001:db8:203::{:x}"),
}
_PROXY = ProxyConfig(cluster_cidrs=("10.244.0.0/16", "fd44::/16"), service_cidrs=("10.96.0.0/16", "fd00:96::/112"))

LANDSCAPE = Landscape(
    nodes=tuple(f"node-{role}" for role in ROLES),
    families=_FAMILIES,
    externals=(ExternalSite("x1", "node-a"), ExternalSite("x2", "node-c")),
)


def state(specs: Iterable[ServiceSpec], proxy: ProxyConfig = _PROXY) -> ClusterState:
    """The cluster in which every spec exists and has exactly the endpoints that it asks for, all ready."""
    distinct = list(dict.fromkeys(specs))
    services = [_service(spec, 10 + i) for i, spec in enumerate(distinct)]
    return ClusterState(
        services={s.key: s for s in services},
        slices={f"{NAMESPACE}/{spec.name}": _slices(spec) for spec in distinct},
        nodes={name: _node(i) for i, name in enumerate(LANDSCAPE.nodes)},
        proxy=proxy,
    )


def service(spec: ServiceSpec, state: ClusterState) -> Service:
    """The Service that `state` made for ``spec``."""
    return state.services[f"{NAMESPACE}/{spec.name}"]


def clients() -> dict[str, Client]:
    """Every client position that a cell can name, by label."""
    found: dict[str, Client] = {}
    for role in ROLES:
        node = f"node-{role}"
        found[f"pod-{role}"] = Client(f"pod-{role}", ClientKind.POD, node, _pod(role, 21))
        found[f"endpoint-{role}"] = Client(f"web-{role}", ClientKind.POD, node, _pod(role, 11))
        found[f"node-{role}"] = Client(node, ClientKind.NODE, node, _host(role))
    for site, role in (("x1", "a"), ("x2", "c")):
        addresses = tuple(_ADDRESSES[f][1].format(100 + int(site[1])) for f in _FAMILIES)
        found[f"external-{role}"] = Client(site, ClientKind.EXTERNAL, f"node-{role}", addresses)
    found["external"] = found["external-a"]
    return found


def _number(role: str) -> int:
    return ROLES.index(role) + 1


def _pod(role: str, host: int) -> tuple[str, ...]:
    return tuple(_ADDRESSES[f][3].format(_number(role), host) for f in _FAMILIES)


def _host(role: str) -> tuple[str, ...]:
    return tuple(_ADDRESSES[f][1].format(10 + _number(role)) for f in _FAMILIES)


def _node(index: int) -> Node:
    role = ROLES[index]
    number = index + 1
    secondary = tuple(_ADDRESSES[f][2].format(number) for f in _FAMILIES)
    return Node(
        name=f"node-{role}",
        addresses=_host(role),
        local=secondary + _pod(role, 1),
        pod_cidrs=(f"10.244.{number}.0/24", f"fd44:{number}::/64"),
        zone=f"zone-{role}",
    )


def _service(spec: ServiceSpec, number: int) -> Service:
    external = spec.type in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER)
    return Service(
        namespace=NAMESPACE,
        name=spec.name,
        type=spec.type,
        ports=tuple(
            ServicePort(p.value.lower(), p, 80, BACKEND_PORT, 30000 + number if external else 0)
            for p in (Protocol.TCP, Protocol.UDP)
        ),
        cluster_ips=tuple(_ADDRESSES[f][0].format(number) for f in _FAMILIES),
        ip_families=_FAMILIES,
        external_ips=tuple(_ADDRESSES[f][4].format(number) for f in _FAMILIES) if spec.external_ip else (),
        ingress=tuple(Ingress(_ADDRESSES[f][5].format(number)) for f in _FAMILIES)
        if spec.type is ServiceType.LOAD_BALANCER
        else (),
        internal_policy=spec.internal_policy,
        external_policy=spec.external_policy,
        affinity_seconds=10800 if spec.affinity else None,
    )


def _slices(spec: ServiceSpec) -> tuple[EndpointSlice, ...]:
    ports = tuple(EndpointPort(p.value.lower(), p, BACKEND_PORT) for p in (Protocol.TCP, Protocol.UDP))
    return tuple(
        EndpointSlice(
            namespace=NAMESPACE,
            name=f"{spec.name}-{family.value.lower()}",
            service=spec.name,
            family=family,
            ports=ports,
            endpoints=tuple(_endpoint(b, family) for b in spec.endpoints),
        )
        for family in _FAMILIES
    )


def _endpoint(backend: Backend, family: Family) -> Endpoint:
    addresses = _host(backend.role) if backend.host_network else _pod(backend.role, 11)
    return Endpoint(
        addresses=tuple(a for a in addresses if Family.of(a) is family),
        node=f"node-{backend.role}",
        zone=f"zone-{backend.role}",
        pod=backend.name,
    )
