"""Objects that nobody's controller would write, but that the API takes: hand-made slices, addresses in two roles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.model.addresses import Family, Protocol
from conformance.model.client import Destination, DestinationKind
from conformance.model.cluster import ProxyConfig
from conformance.model.kube import Endpoint, EndpointPort, EndpointSlice, Ingress, IPMode, Node, Policy, ServiceType
from conformance.model.outcome import Dropped, Outcome, Reaches, Refused, RefusedBy, Unanswered, Unspecified
from conformance.oracle import HealthCheck, expect, expect_health_check
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

LOCAL = replace(WEB, external_policy=Policy.LOCAL)


def astray(outcome: object) -> set[str]:
    assert isinstance(outcome, Reaches), outcome
    return {t.pod for t in outcome.astray}


def test_an_endpoint_on_another_node_than_its_slice_says_answers_past_the_translation() -> None:
    """Policy Local goes by nodeName; whether the answer comes back goes by where the endpoint is."""
    claimed = cluster(slice_of(replace(pod_on(2), node="node-1")), service=LOCAL)
    state = replace(claimed, homes={"10.244.2.11": "node-2"})
    outcome = dial(state, "172.30.99.11", 30080, client=OUTSIDE, node="node-1")
    assert (pods(outcome), astray(outcome)) == (set(), {"web-2"})
    assert pods(dial(state, "10.96.0.1")) == {"web-2"}  # its client's node is the one that translates
    assert pods(dial(claimed, "172.30.99.11", 30080, client=OUTSIDE, node="node-1")) == {"web-2"}


def test_an_endpoint_outside_the_cluster() -> None:
    """It answers a node, and whomever the pod network or kube-proxy masquerades; a bare pod only perhaps."""
    address = "172.30.99.103"
    outside = Endpoint((address,), node="node-1", pod="far")
    state = replace(cluster(slice_of(outside), service=LOCAL), homes={address: ""})
    assert astray(dial(state, "10.96.0.1")) == {"far"}
    assert pods(dial(replace(state, pod_masquerade=True), "10.96.0.1")) == {"far"}
    assert pods(dial(state, "10.96.0.1", client=HOST)) == {"far"}
    assert pods(dial(replace(state, services={"ns/web": WEB}), EXTERNAL_IP)) == {"far"}
    assert astray(dial(state, "172.30.99.11", 30080, client=OUTSIDE, node="node-1")) == {"far"}


@pytest.mark.parametrize("node", ["", "node-9"])
def test_an_endpoint_without_a_node_of_the_cluster_is_nowhere_local(node: str) -> None:
    state = cluster(slice_of(replace(pod_on(1), node=node)), service=replace(LOCAL, internal_policy=Policy.LOCAL))
    assert dial(state, "10.96.0.1") == Dropped()
    assert dial(state, "172.30.99.11", 30080, client=OUTSIDE, node="node-1") == Dropped()
    assert pods(dial(state, VIP)) == {"web-1"}


def test_hairpins_go_by_the_nodes_that_slices_claim() -> None:
    nameless = slice_of(replace(pod_on(1), node=""))
    lost = dial(cluster(nameless), "10.96.0.1", client=OWN)
    assert (pods(lost), astray(lost)) == (set(), {"web-1"})
    assert "10.244.1.1" in sources(dial(cluster(nameless, proxy=IPTABLES), "10.96.0.1", client=OWN))
    # One set of the node holds the endpoints of all Services, so another Service may come to the rescue.
    other = replace(WEB, name="other", cluster_ips=("10.96.0.2",), external_ips=(), ingress=())
    state = cluster(nameless)
    helped = replace(
        state,
        services={**state.services, other.key: other},
        slices={**state.slices, other.key: (replace(slice_of(pod_on(1)), service="other"),)},
    )
    assert "10.244.1.1" in sources(dial(helped, "10.96.0.1", client=OWN))
    remote = {**helped.slices, other.key: (replace(slice_of(pod_on(1), number=9090), service="other"),)}
    assert astray(dial(replace(helped, slices=remote), "10.96.0.1", client=OWN)) == {"web-1"}


def test_slices_that_contradict_each_other() -> None:
    torn = cluster(slice_of(pod_on(1)), slice_of(pod_on(1, ready=False), name="b"))
    assert isinstance(dial(torn, "10.96.0.1"), Unspecified)
    one = pod_on(1, ready=False)
    some = dial(cluster(slice_of(pod_on(1), pod_on(2)), slice_of(one, name="b")), "10.96.0.1")
    assert isinstance(some, Reaches)
    assert some.movable
    assert pods(some) == {"web-1", "web-2"}  # the second for certain, the first perhaps
    hinted = cluster(slice_of(pod_on(1), pod_on(2)), slice_of(pod_on(1, hint_zones=("zone-1",)), name="b"))
    both = dial(hinted, "10.96.0.1")  # what they disagree about makes no difference
    assert isinstance(both, Reaches)
    assert both.every
    zones = tuple((f"zone-{i}",) for i in range(7))
    endless = (slice_of(*(pod_on(i, hint_zones=z) for i in (1, 2, 3)), name=str(z)) for z in zones)
    assert isinstance(dial(cluster(*endless), "10.96.0.1"), Unspecified)


def test_of_services_with_one_address_the_one_with_endpoints_gets_it() -> None:
    other = replace(WEB, name="other", cluster_ips=("10.96.0.2",), ingress=())
    state = cluster(TWO)
    state = replace(state, services={**state.services, other.key: other})
    assert pods(dial(state, EXTERNAL_IP)) == {"web-1", "web-2"}
    assert dial(replace(state, slices={}), EXTERNAL_IP) == Refused(RefusedBy.ICMP)
    third = replace(slice_of(pod_on(3)), service="other")
    rivals = dial(replace(state, slices={**state.slices, other.key: (third,)}), EXTERNAL_IP)
    assert isinstance(rivals, Reaches)
    assert rivals.movable
    assert pods(rivals) == {"web-1", "web-2", "web-3"}
    far = {**state.services, "ns/web": replace(WEB, external_policy=Policy.LOCAL)}
    torn = replace(state, services=far, slices={"ns/web": (slice_of(pod_on(2)),)})
    assert isinstance(dial(torn, EXTERNAL_IP, client=OUTSIDE), Unspecified)  # one drops, the other refuses
    assert pods(dial(torn, EXTERNAL_IP)) == {"web-2"}
    local = {**state.services, other.key: replace(other, external_policy=Policy.LOCAL)}
    torn = replace(state, services=local, slices={**state.slices, other.key: (third,)})
    assert isinstance(dial(torn, EXTERNAL_IP, client=OUTSIDE), Unspecified)


def test_an_external_ip_without_endpoints_leaves_its_port_to_the_node_port_of_another_service() -> None:
    at_home = replace(WEB, name="other", external_ips=("172.30.99.11",), cluster_ips=("10.96.0.2",), ingress=())
    at_home = replace(at_home, ports=(replace(WEB.ports[0], port=30080, node_port=0),))
    state = cluster(TWO)
    state = replace(state, services={**state.services, at_home.key: at_home})
    assert pods(dial(state, "172.30.99.11", 30080, client=OUTSIDE, node="node-1")) == {"web-1", "web-2"}
    assert dial(replace(state, slices={}), "172.30.99.11", 30080, client=OUTSIDE, node="node-1") == Refused(
        RefusedBy.ICMP
    )
    served = {**state.slices, at_home.key: (replace(slice_of(pod_on(3)), service="other"),)}
    assert pods(dial(replace(state, slices=served), "172.30.99.11", 30080, client=OUTSIDE, node="node-1")) == {"web-3"}


@pytest.mark.parametrize(("proxy", "open_to_all"), [(CIDRS, False), (IPTABLES, True)])
def test_ranges_of_a_balancers_address_that_is_an_external_ip_too(proxy: ProxyConfig, open_to_all: bool) -> None:
    both = replace(WEB, external_ips=(VIP,), source_ranges=("192.0.2.0/24",))
    outcome = dial(cluster(TWO, service=both, proxy=proxy), VIP, client=OUTSIDE)
    assert isinstance(outcome, Reaches if open_to_all else Dropped)


def test_a_status_that_outlived_its_type_follows_no_external_policy() -> None:
    former = replace(LOCAL, type=ServiceType.CLUSTER_IP, external_ips=())
    state = cluster(slice_of(pod_on(2)), service=former)
    assert pods(dial(state, VIP, client=OUTSIDE)) == {"web-2"}
    assert dial(replace(state, services={"ns/web": LOCAL}), VIP, client=OUTSIDE) == Dropped()


def test_nobody_answers_for_a_proxys_address_where_there_are_no_other_machines() -> None:
    state = cluster(TWO, service=replace(WEB, ingress=(Ingress(VIP, IPMode.PROXY),)))
    assert isinstance(dial(state, VIP), Unspecified)
    assert dial(replace(state, closed=True), VIP) == Unanswered()


def test_a_pod_dialled_at_a_port_that_no_slice_has() -> None:
    state = replace(cluster(TWO), homes={"10.244.3.7": "node-3"})
    assert isinstance(dial(state, "10.244.3.7", 8080), Unspecified)


def test_the_pod_network_masquerades_nothing_inside_itself() -> None:
    """A node's own address on the pod bridge is inside: another node's pod comes there with its own address."""
    wide = replace(CIDRS, node_port_addresses=("0.0.0.0/0",))
    state = cluster(slice_of(pod_on(2)), service=LOCAL, proxy=wide, masquerade=True)
    assert sources(dial(state, "10.244.2.1", 30080, client=POD, node="node-2")) == {"10.244.1.21"}
    assert "10.244.1.21" not in sources(dial(state, "172.31.98.2", 30080, client=POD, node="node-2"))


@pytest.mark.parametrize("masquerade", [True, False, None])
def test_between_pods_nothing_is_translated(masquerade: bool | None) -> None:
    state = cluster(TWO, masquerade=masquerade)
    assert sources(dial(state, "10.244.2.11", 8080)) == {"10.244.1.21"}
    outer = replace(TWO, endpoints=(Endpoint(("192.0.2.11",), node="node-2", pod="web-2"),))
    assert sources(dial(cluster(outer, masquerade=masquerade), "192.0.2.11", 8080)) == (
        {"10.244.1.21"} if masquerade is False else set()
    )
    assert sources(dial(state, "10.244.2.11", 8080, client=HOST)) == set()


@pytest.mark.parametrize(
    ("protocol", "closed"),
    [(Protocol.TCP, Refused(RefusedBy.RST)), (Protocol.UDP, Refused(RefusedBy.ICMP)), (Protocol.SCTP, Unanswered())],
)
def test_a_closed_port_of_a_node(protocol: Protocol, closed: Outcome) -> None:
    asked = Destination(DestinationKind.NODE_PORT, "172.30.99.11", 31999, protocol, "ns/web", node="node-1")
    assert expect(cluster(TWO), OUTSIDE, asked).outcome == closed


def test_echo_requests_are_kube_proxys_business_at_cluster_ips_alone() -> None:
    def echoed(ip: str, proxy: ProxyConfig = CIDRS) -> Outcome:
        asked = Destination(DestinationKind.CLUSTER_IP, ip, 0, Protocol.ICMP, "ns/web")
        return expect(cluster(TWO, proxy=proxy), POD, asked).outcome

    assert echoed("10.96.0.1") == Refused(RefusedBy.ICMP)
    assert echoed("10.96.0.1", IPTABLES) == Unanswered()
    assert isinstance(echoed("172.30.99.11"), Unspecified)
    assert isinstance(echoed("10.244.2.11"), Unspecified)
    assert echoed(EXTERNAL_IP) == Unanswered()


def test_a_health_check_counts_addresses_whatever_the_ports_of_their_slices() -> None:
    checked = replace(LOCAL, health_check_node_port=32000)
    state = cluster(slice_of(pod_on(1)), slice_of(pod_on(1), pod_on(2), name="b", port="other"), service=checked)
    answers = [expect_health_check(state, checked, node, Family.IPV4) for node in NODES]
    assert answers == [HealthCheck(200, 1), HealthCheck(200, 1), HealthCheck(503, 0)]


def test_outside_clients_reach_a_nodes_address_on_the_pod_bridge_by_halves() -> None:
    """Their packets enter through another node, the answers do not leave through it."""
    state = cluster(slice_of(pod_on(2)), proxy=replace(IPTABLES, node_port_addresses=("0.0.0.0/0",)))
    assert astray(dial(state, "10.244.2.1", 30080, client=OUTSIDE, node="node-2")) == {"web-2"}
    assert pods(dial(state, "10.244.1.1", 30080, client=OUTSIDE, node="node-1")) == {"web-2"}
    assert pods(dial(state, "172.31.98.2", 30080, client=OUTSIDE, node="node-2")) == {"web-2"}


def test_a_node_without_an_address_of_the_family_serves_that_family_everywhere() -> None:
    """``primary`` then names no CIDR of the family, and a family without CIDRs is not restricted."""
    single = Node("node-1", ("172.30.99.11",), local=("fd44:1::1", "172.31.98.1"), pod_cidrs=NODES[0].pod_cidrs)
    v6 = EndpointSlice(
        "ns", "v6", "web", Family.IPV6, (EndpointPort("http", Protocol.TCP, 8080),), (Endpoint(("fd44:1::11",)),)
    )
    state = replace(cluster(v6, TWO), nodes={"node-1": single})
    assert isinstance(dial(state, "fd44:1::1", 30080, client=OUTSIDE, node="node-1"), Reaches)
    assert isinstance(dial(state, "172.30.99.11", 30080, client=HOST, node="node-1"), Reaches)
    assert dial(state, "172.31.98.1", 30080, client=HOST, node="node-1") == Refused(RefusedBy.RST)
