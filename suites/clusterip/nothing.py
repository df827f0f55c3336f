"""ClusterIPs where nothing is to be had: ports that no Service has, echo requests, addresses that nobody has."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.case import (
    Answered,
    Case,
    Level,
    Profile,
    ask,
    axes,
    becomes,
    cluster_ip,
    cluster_ip_other_port,
    dial,
    host,
    nodes,
    on,
    pod,
    service,
    watch,
)
from conformance.model.outcome import Dropped, Quiet, Refused, RefusedBy
from conformance.spec.faults import Fault
from conformance.spec.sources import CLUSTER_IP, NFTABLES_CODE, NFTABLES_DIFFERENCES, NFTABLES_KEP

_GOING = service(endpoints=on("a"), called="cip-23")

NOTHING = (
    Case(
        id="CIP-22",
        promise="An echo request to a ClusterIP is refused on the node: no Service port speaks ICMP.",
        level=Level.CHECK,
        sources=(NFTABLES_CODE,),
        catches=(Fault.ECHO_FORWARDED,),
        given=service(endpoints=on("a")),
        steps=(
            ask("pod", dial(cluster_ip(), client=pod("b")), Refused(RefusedBy.ICMP)),
            ask("host", dial(cluster_ip(), client=host("b")), Refused(RefusedBy.ICMP)),
        ),
        needs=(nodes(2),),
        across=axes(protocol=(Protocol.ICMP,)),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("A23",),
    ),
    Case(
        id="CIP-23",
        promise="Packets to an address of the Service CIDR that no Service has are dropped on the node.",
        level=Level.SHOULD,
        sources=(NFTABLES_DIFFERENCES, NFTABLES_KEP, NFTABLES_CODE),
        catches=(Fault.UNALLOCATED_FORWARDED,),
        given=_GOING,
        steps=(
            ask("before", dial(cluster_ip(), client=pod("a")), Answered(on("a"))),
            becomes(),
            ask("wire", watch("a"), Quiet()),
            ask("pod", dial(cluster_ip(former=True), client=pod("a")), Dropped()),
            ask("host", dial(cluster_ip(former=True), client=host("a")), Dropped()),
        ),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("A24",),
    ),
    Case(
        id="CIP-24",
        promise="Packets to a port that a ClusterIP does not have never leave the node.",
        level=Level.SHOULD,
        sources=(NFTABLES_DIFFERENCES, CLUSTER_IP),
        catches=(Fault.UNUSED_PORT_FORWARDED,),
        given=service(endpoints=on("a")),
        steps=(
            ask("wire", watch("b"), Quiet()),
            ask("pod", dial(cluster_ip_other_port(), client=pod("b")), Refused(RefusedBy.ICMP)),
            ask("host", dial(cluster_ip_other_port(), client=host("b")), Refused(RefusedBy.ICMP)),
        ),
        needs=(nodes(2),),
        profile=Profile.KUBE_PROXY_NFTABLES,
        covers=("A22",),
    ),
)
