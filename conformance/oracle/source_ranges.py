"""loadBalancerSourceRanges: who may use a load balancer address."""

from __future__ import annotations

import ipaddress

from conformance.model.addresses import Family, contains
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node, Service
from conformance.model.source import Reason
from conformance.oracle.capture import load_balancer_ips
from conformance.oracle.packet import Packet
from conformance.spec import sources as cite


def admission(state: ClusterState, node: Node, service: Service, packet: Packet) -> tuple[bool, tuple[Reason, ...]]:
    """Whether the ranges let ``packet`` pass on ``node``, and why; no reason where there are no ranges.

    Ranges count per family: a family without one, or with a range of everything, is open. A node whose own address is
    in a range may also come back from the load balancer's address.
    """
    ranges = tuple(r for r in service.source_ranges if Family.of(r) is packet.family)
    if not ranges:
        if not service.source_ranges:
            return True, ()
        text = f"no source range is {packet.family.value}, so that family is open"
        return True, (Reason(text, cite.SOURCE_RANGES),)
    if any(ipaddress.ip_network(r).prefixlen == 0 for r in ranges):
        return True, (Reason("a range of everything opens the family", cite.SERVICE_PORT_CODE),)
    primary = node.primary(packet.family)
    allowed = list(ranges)
    if primary and any(contains(r, primary) for r in ranges):
        allowed += load_balancer_ips(state.proxy, service)
    inside = any(contains(r, packet.source) for r in allowed)
    verdict = "is in" if inside else "is in none of"
    text = f"{packet.source} {verdict} the source ranges {', '.join(ranges)}" + ("" if inside else ": dropped")
    return inside, (Reason(text, cite.SOURCE_RANGES),)
