"""Rules that the recorded scenarios do not exercise, each against what kube-proxy's source or the API says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.model.addresses import Family, Protocol
from conformance.model.client import Client, Destination, DestinationKind
from conformance.model.cluster import DetectLocal, ProxyConfig, ProxyMode
from conformance.model.kube import (
    Endpoint,
    EndpointSlice,
    Ingress,
    IPMode,
    Policy,
)
from conformance.model.outcome import Dropped, Outcome, Reaches, Refused, RefusedBy, Tells, Unanswered, Unspecified
from conformance.oracle import expect
from conformance.oracle.questions import expect_cell
from conformance.plan.cells import cells_of_case
from fixtures.catalogue import areas
from tests.oracle.small import (
    CIDRS,
    EXTERNAL_IP,
    HOST,
    IPTABLES,
    OUTSIDE,
    OWN,
    POD,
    TWO,
    VIP,
    WEB,
    cluster,
    dial,
    pod_on,
    pods,
    slice_of,
    sources,
)
from tests.oracle.strategies import NODES


@pytest.mark.parametrize(
    ("ranges", "client", "admitted"),
    [
        ((), OUTSIDE, True),
        (("172.30.99.101/32",), OUTSIDE, True),
        (("192.0.2.0/24",), OUTSIDE, False),
        (("192.0.2.0/24", "0.0.0.0/0"), OUTSIDE, True),  # a range of everything empties the list
        (("2001:db8::/32",), OUTSIDE, True),  # no range of this family: open
        (("::/0", "192.0.2.0/24"), OUTSIDE, False),  # the other family's range of everything does not help
        (("172.30.99.0/26",), HOST, True),
        (("172.30.99.0/26",), POD, False),
        (("10.244.0.0/16",), POD, True),
    ],
)
@pytest.mark.parametrize("proxy", [CIDRS, IPTABLES])
def test_source_ranges(ranges: tuple[str, ...], client: Client, admitted: bool, proxy: ProxyConfig) -> None:
    state = cluster(TWO, service=replace(WEB, source_ranges=ranges), proxy=proxy)
    assert isinstance(dial(state, VIP, client=client), Reaches if admitted else Dropped)
    assert isinstance(dial(state, EXTERNAL_IP, client=client), Reaches)
    assert isinstance(dial(state, "172.30.99.11", 30080, client=client, node="node-1"), Reaches)


def test_source_ranges_come_before_the_endpoints_in_nftables_mode_only() -> None:
    closed = replace(WEB, source_ranges=("192.0.2.0/24",))
    assert dial(cluster(service=closed), VIP, client=OUTSIDE) == Dropped()
    assert dial(cluster(service=closed, proxy=IPTABLES), VIP, client=OUTSIDE) == Refused(RefusedBy.ICMP)


@pytest.mark.parametrize(
    ("addresses", "ip", "served"),
    [
        ((), "172.30.99.11", True),
        ((), "172.31.98.1", False),
        ((), "127.0.0.1", False),
        (("primary",), "172.31.98.1", False),
        (("172.31.98.0/24",), "172.31.98.1", True),
        (("172.31.98.0/24",), "172.30.99.11", False),
        (("fd99::/64",), "172.31.98.1", True),  # no CIDR of this family: every address
        (("0.0.0.0/0",), "10.244.1.1", True),
        (("all",), "10.244.1.1", True),
        (("primary", "172.31.98.0/24"), "172.31.98.1", True),
        (("primary", "172.31.98.0/24"), "172.30.99.11", True),
        (("localhost",), "172.30.99.11", False),
        (("0.0.0.0/0",), "127.0.0.1", False),
    ],
)
def test_node_port_addresses_in_nftables_mode(addresses: tuple[str, ...], ip: str, served: bool) -> None:
    state = cluster(TWO, proxy=replace(CIDRS, node_port_addresses=addresses))
    outcome = dial(state, ip, 30080, client=HOST)
    assert isinstance(outcome, Reaches) if served else outcome == Refused(RefusedBy.RST)


@pytest.mark.parametrize(
    ("addresses", "localhost", "ip", "served"),
    [
        ((), True, "172.31.98.1", True),
        ((), True, "127.0.0.1", True),
        ((), True, "127.0.0.2", True),
        ((), True, "::1", False),
        ((), False, "127.0.0.1", False),
        (("172.30.99.0/24",), True, "127.0.0.1", False),
        (("127.0.0.0/8",), True, "127.0.0.1", True),
        (("127.0.0.0/8",), True, "127.0.0.2", False),
    ],
)
def test_node_port_addresses_in_iptables_mode(
    addresses: tuple[str, ...], localhost: bool, ip: str, served: bool
) -> None:
    v6 = EndpointSlice("ns", "v6", "web", Family.IPV6, TWO.ports, (Endpoint(("fd44:1::11",), node="node-1"),))
    proxy = replace(IPTABLES, node_port_addresses=addresses, localhost_node_ports=localhost)
    outcome = dial(cluster(TWO, v6, proxy=proxy), ip, 30080, client=HOST)
    assert isinstance(outcome, Reaches) if served else outcome == Refused(RefusedBy.RST)


def test_detect_local_modes_decide_who_is_a_pod_of_the_cluster() -> None:
    """A pod dials another node's node port of a Local Service, and the pod network keeps its address."""
    state = cluster(slice_of(pod_on(2), pod_on(3)), service=replace(WEB, external_policy=Policy.LOCAL))

    def outcome(mode: DetectLocal) -> Outcome:
        proxy = replace(CIDRS, detect_local=mode)
        return dial(replace(state, proxy=proxy), "172.30.99.12", 30080, node="node-2")

    short_circuited = outcome(DetectLocal.CLUSTER_CIDR)
    assert pods(short_circuited) == {"web-2"}
    assert isinstance(short_circuited, Reaches)
    assert {t.pod for t in short_circuited.astray} == {"web-3"}  # node-3's answers do not pass node-2
    for mode in (DetectLocal.NODE_CIDR, DetectLocal.BRIDGE_INTERFACE, DetectLocal.INTERFACE_NAME_PREFIX):
        assert pods(outcome(mode)) == {"web-2"}
        assert sources(outcome(mode)) == {"10.244.1.21"}


def test_what_depends_on_the_pod_network_is_left_open_until_it_is_known() -> None:
    local = replace(WEB, external_policy=Policy.LOCAL)
    state = cluster(slice_of(pod_on(2), pod_on(3)), service=local, masquerade=None)
    assert isinstance(dial(state, "172.30.99.12", 30080, node="node-2"), Unspecified)
    assert pods(dial(replace(state, pod_masquerade=True), "172.30.99.12", 30080, node="node-2")) == {"web-2"}
    away = cluster(slice_of(pod_on(3)), service=local, masquerade=None)
    assert isinstance(dial(away, "172.30.99.12", 30080, node="node-2"), Unspecified)
    assert dial(replace(away, pod_masquerade=True), "172.30.99.12", 30080, node="node-2") == Dropped()
    lost = dial(replace(away, pod_masquerade=False), "172.30.99.12", 30080, node="node-2")
    assert isinstance(lost, Reaches)
    assert ({t.pod for t in lost.targets}, {t.pod for t in lost.astray}) == (set(), {"web-3"})
    here = cluster(slice_of(pod_on(2)), service=local, masquerade=None)
    seen = sources(dial(here, "172.30.99.12", 30080, node="node-2"))
    assert {"10.244.1.21", "172.30.99.11"} < seen


def test_a_host_network_endpoint_elsewhere_sees_what_the_pod_network_lets_it_see() -> None:
    host = slice_of(Endpoint(("172.30.99.12",), node="node-2", pod="host-2"))
    assert sources(dial(cluster(host), "10.96.0.1")) == {"10.244.1.21"}
    assert "10.244.1.21" not in sources(dial(cluster(host, masquerade=True), "10.96.0.1"))
    assert {"10.244.1.21", "172.30.99.11"} < sources(dial(cluster(host, masquerade=None), "10.96.0.1"))


def test_masquerade_all_and_no_detector() -> None:
    kept = {"10.244.1.21"}
    assert sources(dial(cluster(TWO), "10.96.0.1")) == kept
    assert not sources(dial(cluster(TWO, proxy=replace(CIDRS, masquerade_all=True)), "10.96.0.1")) & kept
    blind = cluster(slice_of(pod_on(1)), proxy=replace(CIDRS, cluster_cidrs=()))
    assert sources(dial(blind, "10.96.0.1", client=OUTSIDE)) == {"172.30.99.101"}
    local = replace(WEB, external_policy=Policy.LOCAL)
    elsewhere = cluster(slice_of(pod_on(2)), service=local, proxy=blind.proxy)
    assert dial(elsewhere, "172.30.99.11", 30080, node="node-1") == Dropped()  # nobody short-circuits pods


def test_hairpin_through_another_node_differs_between_modes() -> None:
    local = replace(WEB, external_policy=Policy.LOCAL)
    for proxy, works in ((CIDRS, False), (IPTABLES, True)):
        state = cluster(slice_of(pod_on(1)), service=local, proxy=proxy)
        outcome = dial(state, "172.30.99.12", 30080, client=OWN, node="node-2")
        assert isinstance(outcome, Reaches)
        assert bool(outcome.targets) is works  # else its answer to itself may go astray
        assert bool(outcome.astray) is not works
    assert "10.244.1.1" in sources(dial(cluster(slice_of(pod_on(1))), "10.96.0.1", client=OWN))


def test_no_endpoints_and_the_nodes_own_packets() -> None:
    assert dial(cluster(), EXTERNAL_IP, client=HOST) == Refused(RefusedBy.ICMP)
    assert dial(cluster(proxy=IPTABLES), EXTERNAL_IP, client=HOST) == Unanswered()
    assert dial(cluster(proxy=IPTABLES), EXTERNAL_IP, client=POD) == Refused(RefusedBy.ICMP)
    at_home = replace(WEB, external_ips=("172.30.99.11",))
    assert dial(cluster(service=at_home, proxy=IPTABLES), "172.30.99.11", client=HOST) == Refused(RefusedBy.ICMP)


def test_iptables_applies_the_no_endpoint_verdict_to_every_local_address() -> None:
    narrow = replace(IPTABLES, node_port_addresses=("172.30.99.0/24",))
    assert dial(cluster(proxy=narrow), "172.31.98.1", 30080, client=HOST) == Refused(RefusedBy.ICMP)
    local = replace(WEB, external_policy=Policy.LOCAL)
    state = cluster(slice_of(pod_on(2)), service=local, proxy=narrow)
    assert dial(state, "172.31.98.1", 30080, client=HOST) == Dropped()


def test_hints() -> None:
    hinted = (pod_on(1, hint_zones=("zone-1",)), pod_on(3, hint_zones=("zone-2",)))
    assert pods(dial(cluster(slice_of(*hinted)), "10.96.0.1")) == {"web-1"}
    assert pods(dial(cluster(slice_of(*hinted, pod_on(2))), "10.96.0.1")) == {"web-1", "web-2", "web-3"}
    absent = tuple(replace(e, hint_zones=("zone-9",)) for e in hinted)
    assert pods(dial(cluster(slice_of(*absent)), "10.96.0.1")) == {"web-1", "web-3"}
    both = (
        pod_on(1, hint_zones=("zone-1",), hint_nodes=("node-1",)),
        pod_on(2, hint_zones=("zone-1",), hint_nodes=("node-2",)),
    )
    assert pods(dial(cluster(slice_of(*both)), "10.96.0.1")) == {"web-1"}
    older = replace(CIDRS, version=(1, 33))
    assert pods(dial(cluster(slice_of(*both), proxy=older), "10.96.0.1")) == {"web-1", "web-2"}
    unready = pod_on(2, ready=False)  # an endpoint that is not ready needs no hint
    assert pods(dial(cluster(slice_of(*hinted, unready)), "10.96.0.1")) == {"web-1"}


def test_terminating_endpoints_take_over_per_policy() -> None:
    leaving = pod_on(1, ready=False, terminating=True)
    mixed = cluster(slice_of(leaving, pod_on(2)), service=replace(WEB, internal_policy=Policy.LOCAL))
    assert pods(dial(mixed, "10.96.0.1")) == {"web-1"}  # the only one on this node
    assert pods(dial(mixed, VIP)) == {"web-2"}
    done = replace(leaving, serving=False)
    assert dial(cluster(slice_of(done)), "10.96.0.1") == Refused(RefusedBy.ICMP)
    assert pods(dial(cluster(slice_of(leaving)), "10.96.0.1")) == {"web-1"}


def test_odd_slices() -> None:
    assert pods(dial(cluster(slice_of(pod_on(1)), slice_of(pod_on(2), name="b", number=9090)), "10.96.0.1")) == {
        "web-1",
        "web-2",
    }
    assert dial(cluster(slice_of(pod_on(1), port="other")), "10.96.0.1") == Refused(RefusedBy.ICMP)
    assert dial(cluster(slice_of(pod_on(1), number=None)), "10.96.0.1") == Refused(RefusedBy.ICMP)
    headless = replace(slice_of(pod_on(1)), labels={"service.kubernetes.io/headless": ""})
    assert dial(cluster(headless), "10.96.0.1") == Refused(RefusedBy.ICMP)
    twice = cluster(slice_of(pod_on(1)), slice_of(pod_on(1, ready=False, terminating=True), name="b"))
    assert pods(dial(twice, "10.96.0.1")) == {"web-1"}


def test_who_is_served_at_all() -> None:
    foreign = replace(WEB, labels={"service.kubernetes.io/service-proxy-name": "other"})
    assert dial(cluster(TWO, service=foreign), "10.96.0.1") == Dropped()  # an unallocated address of the Service CIDR
    assert dial(cluster(TWO, service=foreign, proxy=IPTABLES), "10.96.0.1") == Unanswered()
    assert dial(cluster(TWO, service=foreign), "172.30.99.11", 30080, node="node-1") == Refused(RefusedBy.RST)
    single = replace(WEB, cluster_ips=("10.96.0.1",))
    assert dial(cluster(TWO, service=single), "fd99::11", 30080, node="node-1") == Refused(RefusedBy.RST)
    proxied = replace(WEB, ingress=(Ingress(VIP, IPMode.PROXY),))
    assert isinstance(dial(cluster(TWO, service=proxied), VIP), Unspecified)
    assert isinstance(dial(cluster(TWO, service=proxied, proxy=replace(CIDRS, version=(1, 29))), VIP), Reaches)


@pytest.mark.parametrize(
    ("version", "outcome"), [((1, 36), Refused(RefusedBy.ICMP)), ((1, 30), Refused(RefusedBy.ICMP)), ((1, 29), None)]
)
def test_unused_ports_by_version(version: tuple[int, int], outcome: Outcome | None) -> None:
    state = cluster(TWO, proxy=replace(CIDRS, version=version))
    assert dial(state, "10.96.0.1", 4444) == (outcome or Unanswered())
    assert dial(cluster(TWO, proxy=IPTABLES), "10.96.0.1", 4444) == Unanswered()


def test_affinity_that_another_policy_may_move() -> None:
    sticky = replace(WEB, affinity_seconds=60, external_policy=Policy.LOCAL)
    inner = dial(cluster(TWO, service=sticky), "10.96.0.1", client=OUTSIDE)
    assert isinstance(inner, Reaches)
    assert inner.movable
    assert not inner.sticky
    pod = dial(cluster(TWO, service=sticky), "10.96.0.1")
    assert isinstance(pod, Reaches)
    assert pod.sticky


def test_ipvs_says_that_it_was_not_measured() -> None:
    state = cluster(TWO, proxy=replace(CIDRS, mode=ProxyMode.IPVS))
    question = Destination(DestinationKind.CLUSTER_IP, "10.96.0.1", 80, Protocol.TCP, "ns/web", "http")
    expectation = expect(state, POD, question)
    assert pods(expectation.outcome) == {"web-1", "web-2"}
    assert not sources(expectation.outcome)
    assert "not measured" in expectation.reasons[0].text


def test_an_endpoint_dialled_directly() -> None:
    assert pods(dial(cluster(TWO), "10.244.2.11", 8080)) == {"web-2"}
    assert dial(cluster(TWO), "10.244.2.99", 8080) == Unanswered()
    assert pods(dial(cluster(TWO), "10.244.1.11", 8080, client=OUTSIDE)) == {"web-1"}
    past = dial(cluster(TWO), "10.244.2.11", 8080, client=OUTSIDE)  # node-1 sees half of the connection only
    assert isinstance(past, Reaches)
    assert {t.pod for t in past.astray} == {"web-2"}


def test_sources_of_a_node_known_only_to_the_api_are_not_judged() -> None:
    state = cluster(TWO)
    bare = replace(state, nodes={n.name: replace(n, local=()) for n in NODES})
    assert not sources(dial(bare, "10.96.0.1", client=HOST))
    assert sources(dial(bare, "10.96.0.1")) == {"10.244.1.21"}


def test_a_node_in_another_mode_is_to_say_the_clusters() -> None:
    """What a node says of its mode is no measure of what it should say."""
    page = Destination(DestinationKind.PROXY_PAGE, "127.0.0.1", 10249, Protocol.TCP, "", "", "node-1", "/proxyMode")
    cases = (case for area in areas() for case in area.cases if case.id == "PRX-02")
    cell = next(cell for case in cases for cell in cells_of_case(case, "proxy"))
    mixed = replace(cluster(), modes={"node-1": ProxyMode.IPTABLES})
    assert expect_cell(cell, mixed, HOST, page).outcome == Tells(200, body="nftables")
