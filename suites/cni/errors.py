"""Errors that come back: a client is told of them as if they were about the Service's own address."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Breed,
    Case,
    Level,
    PortSpec,
    ask,
    axes,
    cluster_ip,
    dial,
    host,
    node_port,
    nodes,
    on,
    pod,
    service,
)
from conformance.model.kube import ServiceType
from conformance.model.outcome import Refused, TooBig
from conformance.model.surroundings import CLOSED_PORT
from conformance.spec.faults import Fault
from conformance.spec.sources import NAT_ICMP, PATH_MTU, TARGET_PORT, VIRTUAL_IPS

_CLOSED = service(
    ServiceType.NODE_PORT,
    on("a"),
    ports=tuple(PortSpec(p.value.lower(), p, target=CLOSED_PORT) for p in (Protocol.TCP, Protocol.UDP)),
    called="cni-09",
)
_RAW = service(ServiceType.NODE_PORT, on("a", breed=Breed.RAW), ports=(PortSpec("udp", Protocol.UDP),), called="cni-10")
_MTU = 1300
"""Smaller than any path's between pods, and no smaller than IPv6 allows."""

ERRORS = (
    Case(
        id="CNI-09",
        promise="A client learns at once that nobody listens at an endpoint's port, also through a Service.",
        level=Level.SHOULD,
        sources=(NAT_ICMP, TARGET_PORT, VIRTUAL_IPS),
        catches=(Fault.ICMP_ERRORS_LOST, Fault.RESETS_LOST),
        given=_CLOSED,
        steps=(
            ask("near", dial(cluster_ip(), client=pod("a")), Refused()),
            ask("far", dial(cluster_ip(), client=pod("b")), Refused()),
            ask("nodePort", dial(node_port("b"), client=pod("b")), Refused()),
            ask("host", dial(cluster_ip(), client=host("b")), Refused()),
        ),
        needs=(nodes(2),),
        covers=("O12",),
    ),
    Case(
        id="CNI-10",
        promise="A client whose datagrams are too big for the path behind a Service is told so, and the path's MTU.",
        level=Level.SHOULD,
        sources=(NAT_ICMP, PATH_MTU),
        catches=(Fault.MTU_BLACK_HOLE, Fault.ICMP_ERRORS_LOST),
        given=_RAW,
        steps=(
            ask("near", dial(cluster_ip(), client=pod("a"), too_big=_MTU), TooBig(_MTU)),
            ask("far", dial(cluster_ip(), client=pod("b"), too_big=_MTU), TooBig(_MTU)),
            ask("nodePort", dial(node_port("b"), client=pod("b"), too_big=_MTU), TooBig(_MTU)),
            ask("otherNodePort", dial(node_port("b"), client=pod("a"), too_big=_MTU), TooBig(_MTU)),
            ask("host", dial(cluster_ip(), client=host("b"), too_big=_MTU), TooBig(_MTU)),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(Protocol.UDP,)),
        covers=("O12",),
    ),
)
