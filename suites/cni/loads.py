"""Many packets, large packets and first packets."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Case,
    ClientRef,
    DestinationRef,
    Dialling,
    Level,
    SeenSource,
    ask,
    axes,
    cluster_ip,
    dial,
    host,
    node_port,
    nodes,
    on,
    pod,
    pod_address,
    service,
)
from conformance.model.kube import ServiceType
from conformance.spec.faults import Fault
from conformance.spec.sources import NETWORK_PLUGINS, PATH_MTU, SERVICE_PAGE, SYN_RETRANSMISSION, VIRTUAL_IPS

_TCP, _UDP = axes(protocol=(Protocol.TCP,)), axes(protocol=(Protocol.UDP,))
_SERVED = service(ServiceType.NODE_PORT, on("a"))
_MEBIBYTE = 1 << 20
_FIRSTS = 40


def _bulk(destination: DestinationRef, client: ClientRef) -> Dialling:
    return dial(destination, client=client, size=_MEBIBYTE, times=2)


def _promptly(destination: DestinationRef, client: ClientRef) -> Dialling:
    return dial(destination, client=client, times=_FIRSTS, promptly=True)


LOADS = (
    Case(
        id="CNI-05",
        promise="A mebibyte over one connection arrives as it was sent, and so does one that comes back.",
        level=Level.SHOULD,
        sources=(SERVICE_PAGE, NETWORK_PLUGINS),
        catches=(Fault.BULK_CORRUPTED,),
        given=_SERVED,
        steps=(
            ask("near", _bulk(cluster_ip(), pod("a")), Answered(on("a"), SeenSource.CLIENT)),
            ask("far", _bulk(cluster_ip(), pod("b")), Answered(on("a"), SeenSource.CLIENT)),
            ask("nodePort", _bulk(node_port("b"), pod("b")), Answered(on("a"), SeenSource.NODE)),
            ask("host", _bulk(cluster_ip(), host("b")), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        across=_TCP,
        covers=("O13",),
    ),
    Case(
        id="CNI-06",
        promise="A datagram that fills its sender's MTU and may not be cut arrives, at once or when the sender knows "
        "the path's MTU.",
        level=Level.SHOULD,
        sources=(PATH_MTU, NETWORK_PLUGINS),
        catches=(Fault.LARGE_PACKETS_LOST,),
        given=_SERVED,
        steps=(
            ask("near", dial(cluster_ip(), client=pod("a"), fits=True), Answered(on("a"), SeenSource.CLIENT)),
            ask("far", dial(cluster_ip(), client=pod("b"), fits=True), Answered(on("a"), SeenSource.CLIENT)),
            ask("nodePort", dial(node_port("b"), client=pod("b"), fits=True), Answered(on("a"), SeenSource.NODE)),
            ask("host", dial(cluster_ip(), client=host("b"), fits=True), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        across=_UDP,
        covers=("O12",),
    ),
    Case(
        id="CNI-07",
        promise="Datagrams that take several packets arrive, and so do such answers, from pod to pod and through a "
        "Service.",
        level=Level.SHOULD,
        sources=(SERVICE_PAGE, VIRTUAL_IPS),
        catches=(Fault.FRAGMENTS_LOST, Fault.LARGE_PACKETS_LOST),
        given=_SERVED,
        steps=(
            ask("pod", dial(pod_address("web-a"), client=pod("b"), size=4000), Answered(on("a"), SeenSource.CLIENT)),
            ask("near", dial(cluster_ip(), client=pod("a"), size=8000), Answered(on("a"), SeenSource.CLIENT)),
            ask("far", dial(cluster_ip(), client=pod("b"), size=4000), Answered(on("a"), SeenSource.CLIENT)),
            ask("nodePort", dial(node_port("b"), client=pod("b"), size=8000), Answered(on("a"), SeenSource.NODE)),
            ask("otherNodePort", dial(node_port("a"), client=pod("b"), size=4000), Answered(on("a"), SeenSource.NODE)),
        ),
        needs=(nodes(2),),
        across=_UDP,
    ),
    Case(
        id="CNI-08",
        promise="Connections are made at the first attempt: no first packet gets lost, between nodes least of all.",
        level=Level.SHOULD,
        sources=(SYN_RETRANSMISSION, NETWORK_PLUGINS),
        catches=(Fault.FIRST_PACKETS_LOST,),
        given=_SERVED,
        steps=(
            ask("near", _promptly(cluster_ip(), pod("a")), Answered(on("a"), SeenSource.CLIENT, promptly=True)),
            ask("far", _promptly(cluster_ip(), pod("b")), Answered(on("a"), SeenSource.CLIENT, promptly=True)),
            ask("nodePort", _promptly(node_port("b"), pod("b")), Answered(on("a"), SeenSource.NODE, promptly=True)),
            ask("host", _promptly(cluster_ip(), host("b")), Answered(on("a"), SeenSource.NODE, promptly=True)),
        ),
        needs=(nodes(2),),
        across=_TCP,
        covers=("O11",),
    ),
)
