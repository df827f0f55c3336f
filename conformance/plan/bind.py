"""Roles become addresses: a cell, on this cluster, after its Services exist."""

from __future__ import annotations

from dataclasses import replace

from conformance.model.addresses import Family, Protocol, contains
from conformance.model.case.backend import Backend
from conformance.model.case.refs import SECONDARY
from conformance.model.cell import Cell
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node, Service, ServicePort, ServiceType
from conformance.model.surroundings import Surroundings

OTHER_PORT = 4321
"""A port that no Service of the kit has."""
HEALTH_PORT, METRICS_PORT = 10256, 10249
"""kube-proxy's ``healthzBindAddress`` and ``metricsBindAddress`` ports; the latter is on the node's loopback only."""

_Kind = DestinationKind
Bound = tuple[Client, Destination]


def bind(cell: Cell, state: ClusterState, here: Surroundings) -> Bound | str:
    """The concrete client and destination of ``cell``, or one sentence why this cluster has none."""
    ref = cell.destination
    client = here.clients.get(cell.client.label)
    if client is None:
        return f"there is no vantage point {cell.client.label}"
    services = here.first if ref.former else here.last
    service = services[cell.service.name]
    port = _service_port(cell, service)
    owner = _owner(cell, client, here)
    address = _address(cell, service, state, here, owner)
    if address is None:
        return _absence(cell)
    ours = ref.kind is _Kind.LOAD_BALANCER and any(contains(pool, address) for pool in here.pools)
    if ours and client.kind is ClientKind.EXTERNAL and client.name not in here.routed:
        return f"{client.name} has no route to {address}, which the kit itself gave the Service (--lb status-patch)"
    if client.kind is ClientKind.EXTERNAL and not client.node:
        if not owner:
            return f"it is not known through which node packets of {client.name} enter (--external NAME@NODE=HOW)"
        client = replace(client, node=owner.name)
    named = ref.kind in {_Kind.CLUSTER_IP_OTHER_PORT, _Kind.POD, _Kind.HOST_PORT, _Kind.HEALTH_CHECK, _Kind.PROXY_PAGE}
    return client, Destination(
        kind=ref.kind,
        ip=address,
        port=_number(cell, service, port, here),
        protocol=cell.protocol or Protocol.TCP,
        service=service.key,
        port_name="" if port is None or named else port.name,
        node=owner.name if owner else "",
        word=_word(cell, service, state, here),
    )


def _service_port(cell: Cell, service: Service) -> ServicePort | None:
    wanted = cell.destination.port
    return next((p for p in service.ports if (p.name == wanted if wanted else p.protocol is cell.protocol)), None)


def _number(cell: Cell, service: Service, port: ServicePort | None, here: Surroundings) -> int:
    match cell.destination.kind:
        case _Kind.CLUSTER_IP_OTHER_PORT:
            return OTHER_PORT
        case _Kind.HEALTH_CHECK:
            return service.health_check_node_port
        case _Kind.PROXY_PAGE:
            return METRICS_PORT if cell.destination.word == "proxyMode" else HEALTH_PORT
        case _Kind.LOOKUP:
            return 53
        case _Kind.HOST_PORT:
            return here.node_port(int(cell.destination.word.partition("-")[0]))
        case _Kind.POD:
            return here.port(_backend(cell))
        case _Kind.NODE_PORT | _Kind.NODE_PORT_SECONDARY | _Kind.NODE_PORT_LOOPBACK:
            return port.node_port if port else 0
        case _:
            return port.port if port else 0


def _owner(cell: Cell, client: Client, here: Surroundings) -> Node | None:
    if cell.destination.kind is _Kind.NODE_PORT_LOOPBACK:
        return next((n for n in here.nodes.values() if n.name == client.node), None)
    return here.nodes.get(cell.destination.role)


def _address(cell: Cell, service: Service, state: ClusterState, here: Surroundings, owner: Node | None) -> str | None:
    family = cell.family
    if family is None:
        return None
    match cell.destination.kind:
        case _Kind.CLUSTER_IP | _Kind.CLUSTER_IP_OTHER_PORT:
            return _first(service.cluster_ips, family)
        case _Kind.EXTERNAL_IP:
            return _first(service.external_ips, family)
        case _Kind.LOAD_BALANCER:
            given = [i.ip for i in service.ingress if Family.of(i.ip) is family]
            nth = int(cell.destination.word or 0)
            return given[nth] if nth < len(given) else None
        case _Kind.NODE_PORT_LOOPBACK:
            return "127.0.0.1" if family is Family.IPV4 else "::1"
        case _Kind.HEALTH_CHECK | _Kind.HOST_PORT if cell.destination.word.endswith(SECONDARY):
            return owner.secondary(family) if owner else None
        case _Kind.NODE_PORT | _Kind.HOST_PORT | _Kind.HEALTH_CHECK:
            return owner.primary(family) if owner else None
        case _Kind.PROXY_PAGE:
            return "127.0.0.1" if cell.destination.word == "proxyMode" else owner.primary(family) if owner else None
        case _Kind.NODE_PORT_SECONDARY:
            return owner.secondary(family) if owner else None
        case _Kind.POD:
            return _first(here.addresses(_backend(cell)), family)
        case _Kind.LOOKUP:
            return _first(here.dns, family)
        case _Kind.UPLINK:
            watched = [c for c in state.proxy.service_cidrs if Family.of(c) is family]
            return ("0.0.0.0" if family is Family.IPV4 else "::") if watched else None
        case _Kind.RULES:
            return "0.0.0.0" if family is Family.IPV4 else "::"
        case _Kind.API | _Kind.NODE:
            return None


def _word(cell: Cell, service: Service, state: ClusterState, here: Surroundings) -> str:
    ref = cell.destination
    match ref.kind:
        case _Kind.HEALTH_CHECK:
            return "/"
        case _Kind.PROXY_PAGE:
            return f"/{ref.word}"
        case _Kind.UPLINK:
            return ",".join(c for c in state.proxy.service_cidrs if Family.of(c) is cell.family)
        case _Kind.LOOKUP:
            record, _, host = ref.word.partition("/")
            name = f"{service.name}.{service.namespace}.svc.{here.domain}."
            if ref.port:
                protocol = next(p.protocol for p in cell.service.ports if p.name == ref.port)
                name = f"_{ref.port}._{protocol.value.lower()}.{name}"
            return f"{record} {host}.{name}" if host else f"{record} {name}"
        case _:
            return ref.word


def _backend(cell: Cell) -> Backend:
    known = {b.name: b for spec in cell.specs for b in spec.backends}
    return known[cell.destination.word]


def _first(addresses: tuple[str, ...], family: Family) -> str | None:
    return next((a for a in addresses if a != "None" and Family.of(a) is family), None)


def _absence(cell: Cell) -> str:
    family = cell.family.value if cell.family else ""
    kind, balanced = cell.destination.kind, cell.service.type is ServiceType.LOAD_BALANCER
    match kind:
        case _Kind.LOAD_BALANCER if balanced:
            return f"no load balancer gave the Service an {family} address"
        case _Kind.NODE_PORT_SECONDARY | _Kind.HEALTH_CHECK | _Kind.HOST_PORT:
            return f"node {cell.destination.role} has no second {family} address"
        case _Kind.LOOKUP:
            return f"the cluster's DNS Service has no {family} address, or is not known"
        case _Kind.UPLINK:
            return f"no {family} Service CIDR is known"
        case _:
            return f"the Service has no {family} address of this kind ({kind.value})"
