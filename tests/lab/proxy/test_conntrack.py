"""Which flows are forgotten, and which are nobody's business."""

from __future__ import annotations

from conformance.lab.proxy.conntrack import Flow, frontends, stale
from conformance.model.addresses import Family, Protocol
from conformance.model.kube import Endpoint, EndpointPort, EndpointSlice, Service, ServicePort, ServiceType

VIP, NODE, POD, OLD = "10.96.0.1", "172.30.99.11", "10.244.1.2", "10.244.1.9"


def udp(destination: str, port: int, replier: str, reply_port: int) -> Flow:
    return Flow(Protocol.UDP, (destination, port), (replier, reply_port))


NOW = {
    (Protocol.UDP, VIP, 53): frozenset({(POD, 8053)}),
    (Protocol.UDP, "", 30053): frozenset({(POD, 8053)}),
    (Protocol.UDP, "10.96.0.2", 53): frozenset[tuple[str, int]](),
}


def forgotten(*flows: Flow, retired: tuple[tuple[Protocol, str, int], ...] = ()) -> list[Flow]:
    return stale(flows, NOW, retired, node_ips=[NODE], service_cidrs=["10.96.0.0/16"])


def test_flows_to_serving_endpoints_stay() -> None:
    assert forgotten(udp(VIP, 53, POD, 8053), udp(NODE, 30053, POD, 8053)) == []


def test_flows_to_others_go() -> None:
    gone = [udp(VIP, 53, OLD, 8053), udp(VIP, 53, POD, 9999), udp(NODE, 30053, OLD, 8053), udp(VIP, 53, VIP, 53)]
    assert forgotten(*gone) == gone


def test_service_without_endpoints_keeps_no_flow() -> None:
    gone = udp("10.96.0.2", 53, OLD, 8053)
    assert forgotten(gone) == [gone]


def test_deleted_service_keeps_no_flow() -> None:
    outside = udp("203.0.113.1", 53, OLD, 8053)
    inside = udp("10.96.0.77", 53, OLD, 8053)  # deleted while no proxy looked
    assert forgotten(outside) == []
    assert forgotten(outside, retired=((Protocol.UDP, "203.0.113.1", 53),)) == [outside]
    assert forgotten(inside) == [inside]
    old_node_port = udp(NODE, 30099, OLD, 8053)
    assert forgotten(old_node_port, retired=((Protocol.UDP, "", 30099),)) == [old_node_port]


def test_other_ports_and_other_machines_are_left_alone() -> None:
    assert forgotten(udp("10.96.0.99", 53, "10.96.0.99", 53)) == []
    assert forgotten(udp("8.8.8.8", 30053, "8.8.8.8", 30053)) == []  # a node port's number, elsewhere
    assert forgotten(udp(NODE, 5353, POD, 8053)) == []
    assert forgotten(Flow(Protocol.SCTP, (VIP, 53), (OLD, 8053)), retired=()) != []  # translated, and nobody's
    assert forgotten(Flow(Protocol.SCTP, (NODE, 30053), (OLD, 8053))) == []


def test_frontends_are_those_of_datagram_ports_and_every_serving_endpoint() -> None:
    ports = (ServicePort("dns", Protocol.UDP, 53, 53, 30053), ServicePort("tcp", Protocol.TCP, 53, 53, 30054))
    one = Service("d", "s", ServiceType.NODE_PORT, ports, (VIP, "fd00:96::1"), external_ips=("198.51.100.1",))
    some = (
        Endpoint((POD,), "n1", ready=False, serving=True, terminating=True),
        Endpoint((OLD,), "n2", ready=False, serving=False, terminating=True),
    )
    listed = EndpointSlice("d", "s-x", "s", Family.IPV4, (EndpointPort("dns", Protocol.UDP, 8053),), some)
    assert frontends(one, [listed], Family.IPV4) == {
        (Protocol.UDP, VIP, 53): {(POD, 8053)},
        (Protocol.UDP, "198.51.100.1", 53): {(POD, 8053)},
        (Protocol.UDP, "", 30053): {(POD, 8053)},
    }
