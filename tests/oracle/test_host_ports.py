"""hostPorts: a pod at its node's address, unless a Service has the number too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.model.addresses import Protocol
from conformance.model.client import Client
from conformance.model.cluster import ClusterState, ProxyConfig
from conformance.model.kube import HostMapping, HostPort
from conformance.model.outcome import Reaches, Refused, Unspecified
from tests.oracle.small import CIDRS, HOST, IPTABLES, OUTSIDE, OWN, POD, TWO, cluster, dial, pod_on, pods, slice_of
from tests.oracle.strategies import NODES

NODE = NODES[0]
PRIMARY, SECONDARY = NODE.addresses[0], next(a for a in NODE.local if a.startswith("172.31"))


def offering(*ports: HostPort, proxy: ProxyConfig = CIDRS) -> ClusterState:
    led = tuple(HostMapping(port, "ported", ("10.244.1.11", "fd44:1::11"), 8080) for port in ports)
    return replace(cluster(TWO, proxy=proxy), host_ports={NODE.name: led})


@pytest.mark.parametrize("client", [POD, HOST, OUTSIDE])
@pytest.mark.parametrize("proxy", [CIDRS, IPTABLES])
def test_a_host_port_leads_to_its_pod_from_everywhere(client: Client, proxy: ProxyConfig) -> None:
    state = offering(HostPort(9000, Protocol.TCP), proxy=proxy)
    assert pods(dial(state, PRIMARY, 9000, client)) == {"ported"}
    assert isinstance(dial(state, PRIMARY, 9001, client), Refused)
    assert isinstance(dial(state, NODES[1].addresses[0], 9000, client), Refused)


def test_one_protocol_is_not_another() -> None:
    assert isinstance(dial(offering(HostPort(9000, Protocol.UDP)), PRIMARY, 9000), Refused)


def test_a_host_ip_is_one_address_only() -> None:
    state = offering(HostPort(9000, Protocol.TCP, PRIMARY))
    assert pods(dial(state, PRIMARY, 9000)) == {"ported"}
    assert isinstance(dial(state, SECONDARY, 9000), Refused)


def test_it_takes_no_services_address() -> None:
    state = offering(HostPort(80, Protocol.TCP))
    assert pods(dial(state, "10.96.0.1")) == {"web-1", "web-2"}


def test_a_node_port_of_the_same_number_may_win_or_not() -> None:
    outcome = dial(offering(HostPort(30080, Protocol.TCP)), PRIMARY, 30080)
    assert pods(outcome) == {"web-1", "web-2", "ported"}
    assert isinstance(outcome, Reaches)
    assert outcome.movable
    assert pods(dial(offering(HostPort(30080, Protocol.TCP)), NODES[1].addresses[0], 30080)) == {"web-1", "web-2"}


def test_nothing_is_promised_where_the_service_has_no_endpoint() -> None:
    state = replace(offering(HostPort(30080, Protocol.TCP)), slices={"ns/web": (slice_of(pod_on(1, ready=False)),)})
    assert isinstance(dial(state, PRIMARY, 30080), Unspecified)


def test_whether_a_pod_reaches_itself_there_is_left_open() -> None:
    assert isinstance(dial(offering(HostPort(9000, Protocol.TCP)), PRIMARY, 9000, OWN), Unspecified)
