"""Flows that outlive a change: TCP stays, UDP stays while its endpoint serves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.model.addresses import Protocol
from conformance.model.client import Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.kube import EndpointPort, EndpointSlice, Policy
from conformance.model.outcome import Dropped, Reaches, Refused, RefusedBy, Target, Unspecified
from conformance.oracle import expect, expect_established
from tests.oracle.small import EXTERNAL_IP, HOST, IPTABLES, OUTSIDE, POD, VIP, WEB, cluster, pod_on, slice_of

HELD = Target("10.244.1.11", 8080, frozenset({"10.244.1.21"}), "web-1")
UDP = replace(WEB, ports=(replace(WEB.ports[0], protocol=Protocol.UDP),))
ADDRESSES = (("10.96.0.1", 80), (EXTERNAL_IP, 80), (VIP, 80), ("172.30.99.11", 30080), ("172.31.98.1", 30080))


def udp(*slices: EndpointSlice, **options: object) -> ClusterState:
    them = (replace(s, ports=(EndpointPort("http", Protocol.UDP, 8080),)) for s in slices)
    return cluster(*them, **{"service": UDP, **options})  # type: ignore[arg-type]


def asked(ip: str = "10.96.0.1", port: int = 80, protocol: Protocol = Protocol.UDP) -> Destination:
    return Destination(DestinationKind.CLUSTER_IP, ip, port, protocol, "ns/web", "http")


@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.SCTP])
@pytest.mark.parametrize("state", [cluster(), cluster(slice_of(pod_on(2))), replace(cluster(), services={})])
def test_connections_stay_whatever_the_api_says(protocol: Protocol, state: ClusterState) -> None:
    expectation = expect_established(state, POD, asked(protocol=protocol), HELD)
    assert expectation.outcome == Reaches(frozenset({HELD}))
    assert expectation.reasons


@pytest.mark.parametrize(("ip", "port"), ADDRESSES)
def test_a_datagram_flow_stays_while_its_endpoint_serves(ip: str, port: int) -> None:
    both = udp(slice_of(pod_on(1), pod_on(2)))
    draining = udp(slice_of(pod_on(1, ready=False, terminating=True), pod_on(2)))
    hinted = udp(slice_of(pod_on(1, hint_zones=("zone-9",)), pod_on(2, hint_zones=("zone-1",))))
    local = replace(UDP, internal_policy=Policy.LOCAL, external_policy=Policy.LOCAL, source_ranges=("192.0.2.0/24",))
    elsewhere = replace(both, services={"ns/web": local})
    for state in (both, draining, hinted, elsewhere):
        assert expect_established(state, OUTSIDE, asked(ip, port), HELD).outcome == Reaches(frozenset({HELD}))


@pytest.mark.parametrize(("ip", "port"), ADDRESSES)
def test_a_datagram_flow_is_routed_anew_when_its_endpoint_serves_no_more(ip: str, port: int) -> None:
    gone = udp(slice_of(pod_on(2)))
    unready = udp(slice_of(replace(pod_on(1, ready=False), serving=False), pod_on(2)))
    other_port = udp(slice_of(pod_on(2), name="b"))
    for state in (gone, unready, other_port):
        outcome = expect_established(state, POD, asked(ip, port), HELD).outcome
        assert outcome == expect(state, POD, asked(ip, port)).outcome
        assert isinstance(outcome, Reaches | Refused)


def test_without_endpoints_or_service_a_datagram_flow_ends() -> None:
    assert expect_established(udp(), POD, asked(), HELD).outcome == Refused(RefusedBy.ICMP)
    deleted = replace(udp(), services={})
    assert expect_established(deleted, POD, asked(), HELD).outcome == Dropped()


def test_the_other_protocol_of_a_port_holds_nothing() -> None:
    assert expect_established(cluster(slice_of(pod_on(1))), POD, asked(), HELD).outcome == Refused(RefusedBy.ICMP)


def test_loopback_node_ports_hold_too() -> None:
    state = udp(slice_of(pod_on(1), pod_on(2)), proxy=IPTABLES)
    outcome = expect_established(state, HOST, asked("127.0.0.1", 30080), HELD).outcome
    assert outcome == Reaches(frozenset({HELD}))


def test_slices_that_contradict_each_other_promise_nothing() -> None:
    unready = replace(pod_on(1, ready=False), serving=False)
    state = udp(slice_of(pod_on(1)), slice_of(unready, name="b"))
    assert isinstance(expect_established(state, POD, asked(), HELD).outcome, Unspecified)


def test_a_flow_that_nobody_answered_is_new() -> None:
    state = udp(slice_of(pod_on(2)))
    assert expect_established(state, POD, asked(), None) == expect(state, POD, asked())
