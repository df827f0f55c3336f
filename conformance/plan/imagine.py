"""An imaginary three-node cluster in which every cell can be bound: what `explain` and the agreement test need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from conformance.model import manifest, parse
from conformance.model.addresses import Family
from conformance.model.case.backend import Backend, Breed
from conformance.model.case.service_spec import PortSpec, ServiceSpec
from conformance.model.cell import Cell
from conformance.model.client import Client, ClientKind
from conformance.model.cluster import ClusterState, ProxyConfig
from conformance.model.host_ports import mappings
from conformance.model.kube import Endpoint, EndpointPort, EndpointSlice, Node, Service, ServiceType
from conformance.model.surroundings import Surroundings
from conformance.plan.landscape import ROLES, ExternalSite, Landscape

NAMESPACE = "imagined"
BACKEND_PORT = 8080
_FAMILIES = (Family.IPV4, Family.IPV6)
_ADDRESSES = {
    Family.IPV4: ("10.96.0.{}", "172.30.99.{}", "172.31.98.{}", "10.244.{}.{}", "203.0.113.{}"),
    Family.IPV6: ("fd00:96::{:x}", "fd99::{}", "fd98::{}", "fd44:{}::{:x}", "2001:db8:203::{:x}"),
}
_PROXY = ProxyConfig(cluster_cidrs=("10.244.0.0/16", "fd44::/16"), service_cidrs=("10.96.0.0/16", "fd00:96::/112"))

LANDSCAPE = Landscape(
    nodes=tuple(f"node-{role}" for role in ROLES),
    families=_FAMILIES,
    externals=(ExternalSite("x1", "node-a"), ExternalSite("x2", "node-c")),
    zones=tuple(f"zone-{role}" for role in ROLES),
    readable=True,
    enterable=True,
    disruptive=True,
)


@dataclass(frozen=True, slots=True)
class Imagined:
    """The cluster as it is in one phase of a cell's story, and what its roles stand for."""

    state: ClusterState
    here: Surroundings


def scene(cell: Cell, proxy: ProxyConfig = _PROXY) -> Imagined:
    """The cluster when ``cell`` is asked: its Services exist, with exactly the endpoints that they ask for."""
    return scenes(cell.phases, proxy)[cell.phase]


def scenes(phases: Iterable[tuple[ServiceSpec, ...]], proxy: ProxyConfig = _PROXY) -> list[Imagined]:
    """The cluster in each phase of a story."""
    phases = list(phases)
    specs = list(dict.fromkeys(s for phase in phases for s in phase))
    numbers = {name: 10 + i for i, name in enumerate(dict.fromkeys(s.name for s in specs))}
    here = Surroundings(
        nodes={role: _node(role) for role in ROLES},
        pods={b.pod: _pod(b.role, _HOST_PART[b.breed]) for s in specs for b in s.backends},
        clients=clients(),
        families=_FAMILIES,
        backend_port=BACKEND_PORT,
        numbers=manifest.addresses_of(specs),
        dns=tuple(_ADDRESSES[f][0].format(9) for f in _FAMILIES),
    )
    found = []
    for phase in phases:
        made: dict[str, Service] = {}
        for spec in phase:
            made[spec.name] = _service(spec, numbers[spec.name], here)
            here = replace(here, first={spec.name: made[spec.name], **here.first})
        here = replace(here, last={**here.last, **made})
        state = ClusterState(
            services={s.key: s for s in made.values()},
            slices={f"{NAMESPACE}/{spec.name}": _slices(spec, made[spec.name], here) for spec in phase},
            nodes={n.name: n for n in here.nodes.values()},
            proxy=proxy,
            host_ports=mappings(here),
        )
        found.append(Imagined(state, here))
    return found


def clients() -> dict[str, Client]:
    """Every client position that a cell can name, by label."""
    found: dict[str, Client] = {}
    for role in ROLES:
        node = f"node-{role}"
        found[f"pod-{role}"] = Client(f"pod-{role}", ClientKind.POD, node, _pod(role, 21))
        found[f"endpoint-{role}"] = Client(f"web-{role}", ClientKind.POD, node, _pod(role, 11))
        found[f"endpoint-raw-{role}"] = Client(f"raw-{role}", ClientKind.POD, node, _pod(role, _HOST_PART["raw"]))
        found[f"node-{role}"] = Client(node, ClientKind.NODE, node, _host(role))
    for site, role in (("x1", "a"), ("x2", "c")):
        addresses = tuple(_ADDRESSES[f][1].format(100 + int(site[1])) for f in _FAMILIES)
        found[f"external-{role}"] = Client(site, ClientKind.EXTERNAL, f"node-{role}", addresses)
    found["external"] = found["external-a"]
    return found


_HOST_PART = {breed.value: 11 + i for i, breed in enumerate(Breed)}


def _number(role: str) -> int:
    return ROLES.index(role) + 1


def _pod(role: str, host: int) -> tuple[str, ...]:
    return tuple(_ADDRESSES[f][3].format(_number(role), host) for f in _FAMILIES)


def _host(role: str) -> tuple[str, ...]:
    return tuple(_ADDRESSES[f][1].format(10 + _number(role)) for f in _FAMILIES)


def _node(role: str) -> Node:
    number = _number(role)
    secondary = tuple(_ADDRESSES[f][2].format(number) for f in _FAMILIES)
    return Node(
        name=f"node-{role}",
        addresses=_host(role),
        local=secondary + _pod(role, 1),
        pod_cidrs=(f"10.244.{number}.0/24", f"fd44:{number}::/64"),
        zone=f"zone-{role}",
    )


def _service(spec: ServiceSpec, number: int, here: Surroundings) -> Service:
    """The Service as an API server and a load balancer controller would leave it."""
    plain = manifest.service(spec, here)
    plain["metadata"]["namespace"] = NAMESPACE
    body: dict[str, Any] = plain["spec"]
    if spec.type is not ServiceType.EXTERNAL_NAME:
        families = manifest.families_of(spec, here)
        own = [_ADDRESSES[f][0].format(number) for f in families]
        body.setdefault("clusterIPs", ["None"] if spec.headless else own)
        body.setdefault("ipFamilies", [f.value for f in families])
    if spec.type in (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER) and spec.allocate_node_ports:
        for port in body["ports"]:
            port.setdefault(
                "nodePort", 30200 + number * 40 + sorted({p["port"] for p in body["ports"]}).index(port["port"])
            )
    if spec.type is ServiceType.LOAD_BALANCER:
        if body.get("externalTrafficPolicy") == "Local":
            body.setdefault("healthCheckNodePort", 32000 + number)
        given = [{"ip": _ADDRESSES[f][4].format(number)} for f in manifest.families_of(spec, here)]
        plain |= manifest.status(spec, here) or {"status": {"loadBalancer": {"ingress": given}}}
    return parse.service(plain)


def _slices(spec: ServiceSpec, made: Service, here: Surroundings) -> tuple[EndpointSlice, ...]:
    if spec.slices is not None:
        plain = [s for s in manifest.slices(spec, here) if s["addressType"] != "FQDN"]
        for one in plain:
            one["metadata"]["namespace"] = NAMESPACE
        return tuple(parse.endpoint_slice(s) for s in plain)
    # The controller makes a slice for each set of port numbers that its named target ports come to.
    kinds = dict.fromkeys(here.port(b) for b in spec.endpoints)
    return tuple(
        EndpointSlice(
            namespace=NAMESPACE,
            name=f"{spec.name}-{family.value.lower()}-{number}",
            service=spec.name,
            family=family,
            ports=tuple(EndpointPort(p.name, p.protocol, _target(p, number, here)) for p in spec.ports),
            endpoints=tuple(_endpoint(b, family, spec, here) for b in spec.endpoints if here.port(b) == number),
        )
        for family in made.ip_families
        for number in kinds
    )


def _target(port: PortSpec, named: int, here: Surroundings) -> int:
    target = manifest.target_port(port, here)
    return named if isinstance(target, str) else target


def _endpoint(backend: Backend, family: Family, spec: ServiceSpec, here: Surroundings) -> Endpoint:
    ready = backend.ready or spec.publish_not_ready
    node = here.nodes[backend.role]
    return Endpoint(
        addresses=tuple(a for a in here.addresses(backend) if Family.of(a) is family),
        node=node.name,
        zone=node.zone,
        ready=ready,
        serving=ready,
        pod=backend.name,
        # What the EndpointSlice controller makes of trafficDistribution (KEP-4444, KEP-3015).
        hint_zones=(node.zone,) if spec.traffic_distribution and ready else (),
        hint_nodes=(node.name,) if spec.traffic_distribution == "PreferSameNode" and ready else (),
    )
