"""Roles become addresses: a cell, on this cluster, after its Services exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

from conformance.model.addresses import Family, contains
from conformance.model.cell import Cell
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node, Service, ServicePort
from conformance.plan.landscape import Landscape

OTHER_PORT = 4321
"""A port that no Service of the kit has."""


def bind(
    cell: Cell, service: Service, state: ClusterState, landscape: Landscape, clients: Mapping[str, Client]
) -> tuple[Client, Destination] | str:
    """The concrete client and destination of ``cell``, or one sentence why this cluster has none.

    ``service`` is the Service made for the cell's spec; ``clients`` are the vantage points by their `ClientRef` label.
    """
    port = next(p for p in service.ports if p.protocol is cell.protocol)
    client = clients.get(cell.client.label)
    if client is None:
        return f"there is no vantage point {cell.client.label}"
    address = _address(cell, service, state, landscape)
    if address is None:
        return _absence(cell)
    kind = cell.destination.kind
    owner = _owner(cell, client, landscape)
    if client.kind is ClientKind.EXTERNAL and not client.node:
        if not owner:
            return f"it is not known through which node packets of {client.name} enter (--external NAME@NODE=HOW)"
        client = replace(client, node=owner)
    return client, Destination(
        kind=kind,
        ip=address,
        port=_port(kind, port),
        protocol=cell.protocol,
        service=service.key,
        port_name="" if kind is DestinationKind.CLUSTER_IP_OTHER_PORT else port.name,
        node=owner,
    )


def _port(kind: DestinationKind, port: ServicePort) -> int:
    match kind:
        case DestinationKind.CLUSTER_IP_OTHER_PORT:
            return OTHER_PORT
        case DestinationKind.NODE_PORT | DestinationKind.NODE_PORT_SECONDARY | DestinationKind.NODE_PORT_LOOPBACK:
            return port.node_port
        case _:
            return port.port


def _owner(cell: Cell, client: Client, landscape: Landscape) -> str:
    if cell.destination.kind is DestinationKind.NODE_PORT_LOOPBACK:
        return client.node
    return (landscape.node(cell.destination.role) or "") if cell.destination.role else ""


def _address(cell: Cell, service: Service, state: ClusterState, landscape: Landscape) -> str | None:
    family = cell.family
    match cell.destination.kind:
        case DestinationKind.CLUSTER_IP | DestinationKind.CLUSTER_IP_OTHER_PORT:
            return _first(service.cluster_ips, family)
        case DestinationKind.EXTERNAL_IP:
            return _first(service.external_ips, family)
        case DestinationKind.LOAD_BALANCER:
            return _first(tuple(i.ip for i in service.ingress), family)
        case DestinationKind.NODE_PORT_LOOPBACK:
            return "127.0.0.1" if family is Family.IPV4 else "::1"
        case DestinationKind.NODE_PORT:
            return _node(cell, state, landscape).primary(family)
        case DestinationKind.NODE_PORT_SECONDARY:
            return secondary(_node(cell, state, landscape), family)
        case DestinationKind.POD:
            return None


def secondary(node: Node, family: Family) -> str | None:
    """An address of ``node`` that is neither its primary one nor its pod bridge's, or None."""
    primary = node.primary(family)
    return next(
        (
            a
            for a in (*node.addresses, *node.local)
            if Family.of(a) is family
            and a != primary
            and not ip_address(a).is_link_local
            and not ip_address(a).is_loopback
            and not any(contains(cidr, a) for cidr in node.pod_cidrs)
        ),
        None,
    )


def _node(cell: Cell, state: ClusterState, landscape: Landscape) -> Node:
    name = landscape.node(cell.destination.role)
    return state.nodes[name or ""]


def _first(addresses: tuple[str, ...], family: Family) -> str | None:
    return next((a for a in addresses if a != "None" and Family.of(a) is family), None)


def _absence(cell: Cell) -> str:
    family = cell.family.value
    match cell.destination.kind:
        case DestinationKind.LOAD_BALANCER:
            return f"no load balancer gave the Service an {family} address"
        case DestinationKind.NODE_PORT_SECONDARY:
            return f"node {cell.destination.role} has no second {family} address"
        case DestinationKind.EXTERNAL_IP:
            return f"the Service has no {family} external IP"
        case _:
            return f"the Service has no {family} address of this kind"
