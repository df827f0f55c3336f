"""What an expectation must not depend on, and what each kind of silence or refusal implies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from conformance.model.addresses import Family, Protocol, contains
from conformance.model.client import ClientKind, DestinationKind
from conformance.model.cluster import ClusterState
from conformance.model.kube import Endpoint, EndpointPort, EndpointSlice, Policy, Service, ServicePort, ServiceType
from conformance.model.outcome import Dropped, Outcome, Reaches, Target
from conformance.oracle import expect, expect_established
from conformance.oracle.capture import cluster_ip, proxied
from tests.oracle.strategies import questions
from tests.oracle.test_properties import Question, quick

OUTER = {DestinationKind.NODE_PORT, DestinationKind.EXTERNAL_IP, DestinationKind.LOAD_BALANCER}
STRANGER = Service(
    namespace="elsewhere",
    name="stranger",
    type=ServiceType.NODE_PORT,
    ports=(ServicePort("tcp", Protocol.TCP, 80, 8080, 31234), ServicePort("udp", Protocol.UDP, 80, 8080, 31234)),
    cluster_ips=("10.96.9.9", "fd00:96::9999"),
    external_policy=Policy.LOCAL,
    affinity_seconds=60,
    source_ranges=("192.0.2.0/24",),
)
ITS_SLICE = EndpointSlice(
    "elsewhere",
    "stranger-1",
    "stranger",
    Family.IPV4,
    (EndpointPort("tcp", Protocol.TCP, 8080),),
    (Endpoint(("10.244.3.99",), node="node-3", pod="stranger"),),
)


def changed(state: ClusterState, change: Callable[[Service], Service]) -> ClusterState:
    return replace(state, services={k: change(s) for k, s in state.services.items()})


def without_affinity(service: Service) -> Service:
    return replace(service, affinity_seconds=None)


def addresses(outcome: Outcome) -> object:
    """Who may answer, whether or not the answer comes back; else the outcome itself."""
    if isinstance(outcome, Reaches):
        return {(t.address, t.port) for t in (*outcome.targets, *outcome.astray)}
    return outcome


def claimants(state: ClusterState, question: Question) -> list[Service]:
    """The Services that may have to do with the address dialled."""
    destination = question[2]
    return [
        s
        for s in state.services.values()
        if proxied(s, destination.family)
        and any(p.protocol is destination.protocol for p in s.ports)
        and (
            destination.ip in (*s.cluster_ips, *s.external_ips, *(i.ip for i in s.ingress))
            or any(p.node_port == destination.port for p in s.ports)
        )
    ]


@quick
@given(questions(), st.sampled_from(Policy))
def test_the_internal_policy_is_nothing_to_external_addresses(question: Question, policy: Policy) -> None:
    state, client, destination = question
    plain = changed(state, without_affinity)
    other = changed(plain, lambda s: replace(s, internal_policy=policy))
    if destination.kind in OUTER:
        assert addresses(expect(other, client, destination).outcome) == addresses(
            expect(plain, client, destination).outcome
        )


@quick
@given(questions(), st.sampled_from(Policy))
def test_external_policy_and_ranges_are_nothing_to_cluster_ips(question: Question, policy: Policy) -> None:
    state, client, destination = question
    plain = changed(state, without_affinity)
    other = changed(plain, lambda s: replace(s, external_policy=policy, source_ranges=("192.0.2.0/24",)))
    if destination.kind is DestinationKind.CLUSTER_IP:
        assert addresses(expect(other, client, destination).outcome) == addresses(
            expect(plain, client, destination).outcome
        )


@quick
@given(questions())
def test_source_ranges_are_for_load_balancers_addresses_alone(question: Question) -> None:
    state, client, destination = question
    if destination.kind is not DestinationKind.LOAD_BALANCER:
        free = changed(state, lambda s: replace(s, source_ranges=()))
        assert expect(free, client, destination) == expect(state, client, destination)


@quick
@given(questions())
def test_an_unrelated_service_changes_nothing(question: Question) -> None:
    state, client, destination = question
    more = replace(
        state,
        services={STRANGER.key: STRANGER, **state.services},
        slices={STRANGER.key: (ITS_SLICE,), **state.slices},
    )
    assert expect(more, client, destination) == expect(state, client, destination)


@quick
@given(questions())
def test_the_other_protocol_and_the_other_family_change_nothing(question: Question) -> None:
    state, client, destination = question
    services = {
        k: replace(s, ports=tuple(p for p in s.ports if p.protocol is destination.protocol))
        for k, s in state.services.items()
    }
    assert expect(replace(state, services=services), client, destination) == expect(state, client, destination)
    slices = {k: tuple(s for s in v if s.family is destination.family) for k, v in state.slices.items()}
    assert expect(replace(state, slices=slices), client, destination) == expect(state, client, destination)


@quick
@given(questions())
def test_masquerading_everything_changes_sources_alone(question: Question) -> None:
    state, client, destination = question

    def outcome(masquerade_all: bool) -> Outcome:
        proxy = replace(state.proxy, masquerade_all=masquerade_all)
        return expect(replace(state, proxy=proxy), client, destination).outcome

    assert addresses(outcome(True)) == addresses(outcome(False))


@quick
@given(questions())
def test_traffic_distribution_and_names_of_pods_are_no_rules(question: Question) -> None:
    """kube-proxy follows hints, never the Service's wish that led to them."""
    state, client, destination = question
    wishing = changed(state, lambda s: replace(s, traffic_distribution="PreferSameNode"))
    assert expect(wishing, client, destination) == expect(state, client, destination)


@quick
@given(questions())
def test_silence_has_a_policy_a_range_or_an_unallocated_address_behind_it(question: Question) -> None:
    state, client, destination = question
    if not isinstance(expect(state, client, destination).outcome, Dropped):
        return
    unallocated = any(contains(c, destination.ip) for c in state.proxy.service_cidrs) and not any(
        cluster_ip(s, destination.family) == destination.ip and proxied(s, destination.family)
        for s in state.services.values()
    )
    silent = any(
        Policy.LOCAL in (s.internal_policy, s.external_policy) or s.source_ranges for s in claimants(state, question)
    )
    assert unallocated or silent


@quick
@given(questions())
def test_internal_policy_local_stays_on_the_clients_node(question: Question) -> None:
    state, client, destination = question
    service = state.services[destination.service]
    if client.kind is ClientKind.EXTERNAL or destination.kind is not DestinationKind.CLUSTER_IP:
        return
    if destination.ip not in service.cluster_ips or service.internal_policy is not Policy.LOCAL:
        return
    outcome = expect(state, client, destination).outcome
    if isinstance(outcome, Reaches):
        claimed = {(e.addresses[0], e.node) for s in state.slices[service.key] for e in s.endpoints}
        assert all((t.address, client.node) in claimed for t in (*outcome.targets, *outcome.astray))


@quick
@given(questions())
def test_an_established_connection_never_moves(question: Question) -> None:
    state, client, destination = question
    held = Target("10.244.1.11", 8080, frozenset(), "held")
    outcome = expect_established(state, client, replace(destination, protocol=Protocol.TCP), held).outcome
    assert outcome == Reaches(frozenset({held}))
    datagrams = replace(destination, protocol=Protocol.UDP)
    moved = expect_established(state, client, datagrams, held).outcome
    if moved != Reaches(frozenset({held})):
        anew = expect(state, client, datagrams).outcome
        assert moved == anew or "contradict" in getattr(moved, "reason", "")
