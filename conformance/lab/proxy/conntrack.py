"""Which tracked UDP and SCTP flows still go where no Service sends them any more.

TCP ends by itself when its endpoint does. A UDP flow lives on as long as the client keeps sending, through the
translation that the kernel remembers, past every rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from conformance.lab.proxy.endpoints import targets
from conformance.lab.proxy.ports import cluster_ip, is_proxied, virtual_ips
from conformance.model.addresses import Family, Protocol
from conformance.model.kube import EndpointSlice, Service

TRACKED = (Protocol.UDP, Protocol.SCTP)

Address = tuple[str, int]
Frontend = tuple[Protocol, str, int]  # the address is empty for a node port


@dataclass(frozen=True, slots=True)
class Flow:
    """A tracked connection: where the client sent it, and who answers; ``handle`` is what the kernel says of it."""

    protocol: Protocol
    destination: Address
    replier: Address
    handle: bytes = field(default=b"", repr=False, compare=False)

    @property
    def translated(self) -> bool:
        """Whether somebody else than the dialled address answers."""
        return self.destination != self.replier


Frontends = Mapping[Frontend, frozenset[Address]]


def frontends(service: Service, slices: Iterable[EndpointSlice], family: Family) -> dict[Frontend, frozenset[Address]]:
    """Where ``service`` takes flows, and every endpoint that still serves them, terminating or not, near or far.

    Policies and topology do not count: a change of those leaves running flows alone, as it does TCP connections.
    """
    own_ip = cluster_ip(service, family) if is_proxied(service) else None
    if own_ip is None:
        return {}
    outer = (ip for ip in service.external_ips if Family.of(ip) is family)
    ips = (own_ip, *outer, *virtual_ips(service, family))
    listed = tuple(slices)
    found: dict[Frontend, frozenset[Address]] = {}
    for port in service.ports:
        if port.protocol not in TRACKED:
            continue
        serving = frozenset((t.ip, t.port) for t in targets(listed, port, "", family) if t.serving)
        for ip in ips:
            found[port.protocol, ip, port.port] = serving
        if port.node_port:
            found[port.protocol, "", port.node_port] = serving
    return found


def stale(
    tracked: Iterable[Flow],
    now: Frontends,
    retired: Iterable[Frontend] = (),
    *,
    node_ips: Iterable[str] = (),
    service_cidrs: Iterable[str] = (),
) -> list[Flow]:
    """The flows to forget.

    ``retired`` are frontends of Services that are gone. ``node_ips`` are where node ports are served: a flow to the
    same port of any other address is none of ours. A translated flow into ``service_cidrs`` that no Service owns was
    left behind by a Service deleted while no proxy looked.
    """
    own, past = frozenset(node_ips), frozenset(retired)
    networks = [ip_network(c) for c in service_cidrs]
    found = []
    for flow in tracked:
        ip, port = flow.destination
        frontend = (flow.protocol, ip, port)
        if frontend not in now and ip in own:
            frontend = (flow.protocol, "", port)
        serving = now.get(frontend)
        if serving is not None:
            gone = flow.replier not in serving
        elif frontend in past:
            gone = flow.translated
        else:
            gone = flow.translated and any(ip_address(ip) in n for n in networks)
        if gone:
            found.append(flow)
    return found
