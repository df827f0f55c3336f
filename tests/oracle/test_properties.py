"""What holds of every expectation, whatever the cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ClusterState, ProxyMode
from conformance.model.kube import Policy, Service
from conformance.model.outcome import Dropped, Reaches, Refused, RefusedBy, Unspecified
from conformance.oracle import expect
from conformance.oracle.capture import proxied
from tests.oracle.strategies import CLIENTS, NODES, questions

T = TypeVar("T")
Question = tuple[ClusterState, Client, Destination]
quick = settings(max_examples=100)
EXTERNAL_KINDS = {DestinationKind.EXTERNAL_IP, DestinationKind.LOAD_BALANCER}


def asked(state: ClusterState, destination: Destination) -> Service:
    return state.services[destination.service]


def usable_addresses(state: ClusterState, destination: Destination) -> set[str]:
    """Addresses that may ever be chosen for the Service dialled: ready, or terminating and still serving.

    Slices with a label are those of headless Services here.
    """
    return {
        e.addresses[0]
        for s in state.slices[destination.service]
        if s.family is destination.family and not s.labels and any(p.port for p in s.ports)
        for e in s.endpoints
        if e.ready or (e.serving and e.terminating)
    }


@quick
@given(questions())
def test_total_deterministic_and_argued(question: Question) -> None:
    first, second = expect(*question), expect(*question)
    assert first == second
    assert first.reasons
    assert all(r.text and r.source.text for r in first.reasons)


@quick
@given(questions(), st.sampled_from(ProxyMode))
def test_where_all_nodes_are_in_one_mode_it_is_the_clusters(question: Question, mode: ProxyMode) -> None:
    state, client, destination = question
    told = replace(state, modes=dict.fromkeys([*state.nodes, client.node], mode))
    outright = replace(state, proxy=replace(state.proxy, mode=mode))
    assert expect(told, client, destination) == expect(outright, client, destination)


@quick
@given(questions(), st.dictionaries(st.sampled_from([n.name for n in NODES]), st.sampled_from(ProxyMode)))
def test_the_mode_of_a_node_on_nobodys_way_changes_nothing(question: Question, modes: dict[str, ProxyMode]) -> None:
    state, client, destination = question
    if client.kind is ClientKind.POD and destination.kind is DestinationKind.CLUSTER_IP:
        alone = {node: mode for node, mode in modes.items() if node == client.node}
        mixed = expect(replace(state, modes=modes), client, destination)
        assert mixed == expect(replace(state, modes=alone), client, destination)


@quick
@given(questions(), st.randoms(use_true_random=False))
def test_order_does_not_matter(question: Question, random: Random) -> None:
    state, client, destination = question

    def shuffled(items: Iterable[T]) -> tuple[T, ...]:
        them = list(items)
        random.shuffle(them)
        return tuple(them)

    mixed = replace(
        state,
        services=dict(shuffled(state.services.items())),
        slices={
            k: tuple(replace(s, endpoints=shuffled(s.endpoints)) for s in shuffled(v)) for k, v in state.slices.items()
        },
        nodes=dict(shuffled(state.nodes.items())),
    )
    assert expect(mixed, client, destination) == expect(state, client, destination)


@quick
@given(questions())
def test_refused_means_no_endpoint_or_no_such_address(question: Question) -> None:
    state, _, destination = question
    outcome = expect(*question).outcome
    if not isinstance(outcome, Refused) or destination.kind is DestinationKind.CLUSTER_IP_OTHER_PORT:
        return
    if outcome.by is RefusedBy.ICMP and destination.kind in {DestinationKind.CLUSTER_IP, *EXTERNAL_KINDS}:
        served = {k: s for k, s in state.services.items() if proxied(s, destination.family)}
        owners = [k for k, s in served.items() if destination.ip in (*s.cluster_ips, *s.external_ips)]
        owners += [k for k, s in served.items() if destination.ip in [i.ip for i in s.ingress]]
        assert owners
        assert all(not usable_addresses(state, replace(destination, service=k)) for k in owners)


@quick
@given(questions())
def test_only_usable_endpoints_of_the_service_answer(question: Question) -> None:
    state, _, destination = question
    outcome = expect(*question).outcome
    if not isinstance(outcome, Reaches) or destination.kind is DestinationKind.POD:
        return
    claimed = {k for k in state.services if usable_addresses(state, replace(destination, service=k))}
    allowed = {a for k in claimed for a in usable_addresses(state, replace(destination, service=k))}
    assert {t.address for t in (*outcome.targets, *outcome.astray)} <= allowed
    assert outcome.targets or outcome.astray


@quick
@given(questions())
def test_local_policy_keeps_external_clients_on_the_node(question: Question) -> None:
    state, client, destination = question
    service = asked(state, destination)
    outcome = expect(*question).outcome
    if client.kind is not ClientKind.EXTERNAL or service.external_policy is not Policy.LOCAL:
        return
    if not isinstance(outcome, Reaches) or destination.kind not in {DestinationKind.NODE_PORT, *EXTERNAL_KINDS}:
        return
    entered = destination.node or client.node
    nodes = {
        e.node
        for s in state.slices[service.key]
        for e in s.endpoints
        for t in outcome.targets
        if t.address in e.addresses
    }
    assert nodes == {entered}
    if state.proxy.mode is not ProxyMode.IPVS:
        assert all(
            t.sources == frozenset(client.addresses) & t.sources and len(t.sources) == 1 for t in outcome.targets
        )


@quick
@given(questions())
def test_seen_sources_are_the_clients_or_a_nodes(question: Question) -> None:
    state, client, _ = question
    outcome = expect(*question).outcome
    if isinstance(outcome, Reaches):
        possible = {*client.addresses, "127.0.0.1", "::1"}.union(*({*n.addresses, *n.local} for n in NODES))
        assert all(t.sources <= possible for t in outcome.targets)
        assert state.nodes


@quick
@given(questions())
def test_affinity_never_changes_the_targets(question: Question) -> None:
    state, client, destination = question

    def with_affinity(seconds: int | None) -> ClusterState:
        return replace(state, services={k: replace(s, affinity_seconds=seconds) for k, s in state.services.items()})

    without, sticky = (expect(with_affinity(s), client, destination).outcome for s in (None, 10800))
    if isinstance(without, Reaches):
        assert isinstance(sticky, Reaches)
        assert sticky.targets == without.targets
        assert sticky.sticky is not sticky.movable or destination.kind is DestinationKind.POD
        assert not without.sticky
        assert not without.movable
    else:
        assert sticky == without


@quick
@given(questions())
def test_cluster_policy_never_drops(question: Question) -> None:
    """Without Local policies and source ranges nothing is silent but what a node's own translation loses."""
    state, client, destination = question
    services = {
        k: replace(s, internal_policy=Policy.CLUSTER, external_policy=Policy.CLUSTER, source_ranges=())
        for k, s in state.services.items()
    }
    outcome = expect(replace(state, services=services), client, destination).outcome
    if destination.kind not in {DestinationKind.CLUSTER_IP, DestinationKind.CLUSTER_IP_OTHER_PORT}:
        assert not isinstance(outcome, Dropped)


@quick
@given(questions())
def test_more_ranges_never_let_more_in(question: Question) -> None:
    """A range that nobody is in, added to a list without a range of everything, opens nothing."""
    state, client, destination = question
    if destination.kind is not DestinationKind.LOAD_BALANCER:
        return
    nowhere = ("192.0.2.0/24", "2001:db8:dead::/64")
    closed = {k: replace(s, source_ranges=nowhere) for k, s in state.services.items()}
    outcome = expect(replace(state, services=closed), client, destination).outcome
    assert not isinstance(outcome, Reaches)


@quick
@given(questions())
def test_an_unknown_node_is_left_open(question: Question) -> None:
    state, _, destination = question
    stranger = next(c for c in CLIENTS if c.name == "lost")
    assert isinstance(expect(state, stranger, destination).outcome, Unspecified)
