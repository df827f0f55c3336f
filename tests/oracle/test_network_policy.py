"""What NetworkPolicies leave of what kube-proxy would reach, and what the API leaves open about them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.model.addresses import Protocol
from conformance.model.client import Client, Destination, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.network_policy import (
    IPBlock,
    LabelSelector,
    NetworkPolicy,
    Peer,
    Pod,
    Policed,
    PolicyPort,
    PolicyRule,
    Requirement,
)
from conformance.model.outcome import Outcome, Reaches, Target, Unanswered, Unspecified
from conformance.oracle import expect_established
from tests.oracle.small import HOST, OUTSIDE, OWN, POD, TWO, WEB, cluster, dial, pod_on, pods, slice_of

PODS = (
    Pod("ns", "web-1", "node-1", OWN.addresses, {"pod": "web-1"}),
    Pod("ns", "web-2", "node-2", ("10.244.2.11",), {"pod": "web-2"}),
    Pod("ns", "pod-1", "node-1", POD.addresses, {"pod": "pod-1"}),
)
ONE_FAR = slice_of(pod_on(2))
CLUSTER_IP, NODE_1 = "10.96.0.1", "172.30.99.11"


def labelled(*names: str) -> LabelSelector:
    return LabelSelector((Requirement("pod", "In", names),))


def ingress(*rules: PolicyRule, about: tuple[str, ...] = ("web-2",), namespace: str = "ns") -> NetworkPolicy:
    return NetworkPolicy(namespace, "in", labelled(*about), ingress=rules)


def egress(*rules: PolicyRule) -> NetworkPolicy:
    return NetworkPolicy("ns", "out", labelled("pod-1"), egress=rules)


def among(state: ClusterState, *policies: NetworkPolicy) -> ClusterState:
    return replace(state, policed=Policed(policies, PODS, {"ns": {"name": "ns"}}))


def block(cidr: str) -> PolicyRule:
    return PolicyRule((Peer(block=IPBlock(cidr)),))


def at(port: int | str, end: int | None = None) -> tuple[PolicyPort, ...]:
    return (PolicyPort(Protocol.TCP, port, end),)


FROM_POD = PolicyRule((Peer(labelled("pod-1")),))


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        (PolicyRule(), True),
        (FROM_POD, True),
        (PolicyRule((Peer(labelled("web-1")),)), False),
        (PolicyRule((Peer(namespaces=LabelSelector((Requirement("name", "In", ("ns",)),))),)), True),
        (PolicyRule((Peer(labelled("pod-1"), LabelSelector((Requirement("name", "In", ("other",)),))),)), False),
        (PolicyRule(ports=at(8080)), True),
        (PolicyRule(ports=at(80)), False),
        (PolicyRule(ports=at(8000, 8080)), True),
        (PolicyRule(ports=at(8000, 8079)), False),
        (PolicyRule(ports=(PolicyPort(Protocol.UDP, 8080),)), False),
        (block("10.244.1.21/32"), True),
        (block("10.96.0.0/16"), False),
    ],
)
def test_a_policy_is_about_the_pod_behind_the_cluster_ip(rule: PolicyRule, *, passes: bool) -> None:
    outcome = dial(among(cluster(ONE_FAR), ingress(rule)), CLUSTER_IP)
    assert outcome == (dial(cluster(ONE_FAR), CLUSTER_IP) if passes else Unanswered())


def test_a_policy_of_another_namespace_or_about_others_changes_nothing() -> None:
    free = cluster(ONE_FAR)
    for policy in (ingress(namespace="other"), ingress(about=("web-1",))):
        assert dial(among(free, policy), CLUSTER_IP) == dial(free, CLUSTER_IP)


def test_policies_add_up() -> None:
    free = cluster(ONE_FAR)
    assert dial(among(free, ingress(), ingress(FROM_POD)), CLUSTER_IP) == dial(free, CLUSTER_IP)


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        (PolicyRule((Peer(labelled("web-2")),), at(8080)), True),
        (PolicyRule((Peer(labelled("web-2")),), at(80)), False),
        (PolicyRule((Peer(labelled("web-1")),)), False),
        (block("0.0.0.0/0"), True),
        (block("192.0.2.0/24"), False),
    ],
)
def test_egress_is_to_the_pod_behind_the_cluster_ip(rule: PolicyRule, *, passes: bool) -> None:
    outcome = dial(among(cluster(ONE_FAR), egress(rule)), CLUSTER_IP)
    assert outcome == (dial(cluster(ONE_FAR), CLUSTER_IP) if passes else Unanswered())


@pytest.mark.parametrize("cidr", ["10.96.0.0/16", "10.244.2.0/24"])
def test_whether_an_ip_block_of_egress_is_compared_before_the_translation_is_open(cidr: str) -> None:
    assert isinstance(dial(among(cluster(ONE_FAR), egress(block(cidr))), CLUSTER_IP), Unspecified)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        (block("172.30.99.101/32"), Unspecified),  # the client, whom node-1 masquerades on the way to node-2
        (block("172.30.99.11/32"), Unspecified),  # node-1
        (block("172.30.99.12/32"), Unanswered),
        (PolicyRule(), Reaches),
    ],
)
def test_which_address_a_policy_sees_of_a_masqueraded_packet_is_open(rule: PolicyRule, kind: type[Outcome]) -> None:
    state = among(cluster(ONE_FAR), ingress(rule))
    assert isinstance(dial(state, NODE_1, 30080, OUTSIDE, "node-1"), kind)


def test_a_node_always_reaches_its_own_pods() -> None:
    here = among(cluster(slice_of(pod_on(1))), ingress(about=("web-1",)))
    assert pods(dial(here, CLUSTER_IP, client=HOST)) == {"web-1"}
    assert dial(among(cluster(ONE_FAR), ingress()), CLUSTER_IP, client=HOST) == Unanswered()


def test_whether_an_isolated_pod_reaches_itself_through_its_service_is_open() -> None:
    state = among(cluster(slice_of(pod_on(1))), ingress(about=("web-1",)))
    assert isinstance(dial(state, CLUSTER_IP, client=OWN), Unspecified)


def test_an_endpoint_that_is_kept_from_is_still_chosen_now_and_then() -> None:
    assert isinstance(dial(among(cluster(TWO), ingress()), CLUSTER_IP), Unspecified)


def test_whether_a_policy_cuts_a_connection_is_open_and_one_that_lets_it_pass_does_not() -> None:
    held = Target("10.244.2.11", 8080, frozenset(), "web-2")
    where = Destination(DestinationKind.CLUSTER_IP, CLUSTER_IP, 80, Protocol.TCP, WEB.key, "http")
    shut, opened = (among(cluster(ONE_FAR), ingress(*rules)) for rules in ((), (FROM_POD,)))
    assert isinstance(expect_established(shut, POD, where, held).outcome, Unspecified)
    assert expect_established(opened, POD, where, held).outcome == Reaches(frozenset({held}))


RULES = st.sampled_from((PolicyRule(), FROM_POD, PolicyRule(ports=at(80)), block("0.0.0.0/0"), block("10.96.0.0/16")))


@given(st.lists(RULES, max_size=3), st.lists(RULES, max_size=3), st.sampled_from((POD, HOST, OUTSIDE, OWN)))
def test_more_rules_never_keep_out_whom_fewer_let_in(
    some: list[PolicyRule], more: list[PolicyRule], client: Client
) -> None:
    free = cluster(ONE_FAR)
    first = dial(among(free, ingress(*some)), CLUSTER_IP, client=client)
    if isinstance(first, Reaches):
        assert dial(among(free, ingress(*some, *more)), CLUSTER_IP, client=client) == first
