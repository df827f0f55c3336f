"""What the cases with NetworkPolicies have in common: each has wards of its own, whose policies concern nobody else."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import Axes, Breed, ClientRef, PortSpec, ServiceSpec, axes, endpoint, service, ward

TCP, UDP, SCTP = Protocol.TCP, Protocol.UDP, Protocol.SCTP
EVERY_PROTOCOL: Axes = axes(protocol=(TCP, UDP, SCTP))
THREE_PORTS = tuple(PortSpec(p.value.lower(), p) for p in EVERY_PROTOCOL.protocol)
"""Port 80 in each protocol; its targetPort is another number."""


def guarded(role: str, number: int) -> ServiceSpec:
    """A ClusterIP before the ward of that number, in every protocol."""
    return service(endpoints=ward(role, number), ports=THREE_PORTS)


def caller(role: str, number: int) -> ClientRef:
    """The ward of that number as a client."""
    return endpoint(role, breed=Breed.WARD, number=number)
