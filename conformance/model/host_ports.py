"""hostPorts: ports of a node that lead to one of its pods, which the pod network sees to and not kube-proxy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from conformance.model.addresses import Family, Protocol
from conformance.model.case.backend import BOUND_PORT, HOST_PORT, SHARED_PORT, Breed, on
from conformance.model.kube import HostMapping, HostPort
from conformance.model.surroundings import Surroundings


def host_ports(addresses: Collection[str], number: Callable[[int], int]) -> tuple[HostPort, ...]:
    """Those of a PORTED backend on a node with these primary ``addresses``; ``number`` draws as for node ports."""
    return (
        *(HostPort(number(HOST_PORT), p) for p in (Protocol.TCP, Protocol.UDP, Protocol.SCTP)),
        *(HostPort(number(SHARED_PORT), p) for p in (Protocol.TCP, Protocol.UDP)),
        *(HostPort(number(BOUND_PORT), p, ip) for p in (Protocol.TCP, Protocol.UDP) for ip in addresses),
    )


def mappings(here: Surroundings) -> dict[str, tuple[HostMapping, ...]]:
    """The hostPorts of the kit's own pods, by node."""
    return {here.nodes[role].name: tuple(_of(role, here)) for role in here.nodes}


def _of(role: str, here: Surroundings) -> Iterator[HostMapping]:
    (backend,) = on(role, breed=Breed.PORTED)
    if backend.pod in here.pods:
        primary = [a for a in map(here.nodes[role].primary, Family) if a]
        for port in host_ports(primary, here.node_port):
            yield HostMapping(port, backend.pod, here.addresses(backend), here.port(backend))
