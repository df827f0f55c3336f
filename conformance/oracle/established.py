"""Flows that were there before the cluster changed: connection tracking remembers what no rule says any more."""

from __future__ import annotations

from conformance.model.addresses import Protocol
from conformance.model.client import Client, Destination
from conformance.model.cluster import ClusterState
from conformance.model.kube import Service, ServicePort
from conformance.model.outcome import Expectation, Reaches, Target, Unspecified
from conformance.model.source import Reason
from conformance.oracle.capture import cluster_ip, load_balancer_ips, proxied
from conformance.oracle.endpoints import variants_of
from conformance.oracle.location import is_node_address
from conformance.oracle.network_policy import passes
from conformance.oracle.walk import expect
from conformance.spec import sources as cite


def expect_established(
    state: ClusterState, client: Client, destination: Destination, held: Target | None
) -> Expectation:
    """What must happen to the next packets of a flow that ``held`` has answered so far; None: nobody has.

    A TCP connection or SCTP association stays where it is as long as its endpoint lives, whatever the API says. A UDP
    flow stays as long as its endpoint serves the Service port that owns the address, policies, hints and termination
    aside; otherwise it is routed like a new one, for kube-proxy removes what connection tracking remembers of it.
    Where a NetworkPolicy would keep out a new one, it is left open.
    """
    if held is None:
        return expect(state, client, destination)
    name = held.pod or held.address
    if not passes(state, client, destination, held):
        text = "whether policies apply to connections that were there before them is for who enforces them to say"
        return Expectation(Unspecified(text), (Reason(text, cite.NETWORK_POLICY_CONNECTIONS),))
    stays = Reaches(frozenset({held}))
    if destination.protocol is not Protocol.UDP:
        text = f"an established connection stays at {name} until one of its ends closes it"
        return Expectation(stays, (Reason(text, cite.CONNTRACK_CODE),))
    readings = _serves(state, destination, held)
    if readings == {True}:
        text = f"{name} still serves the address, so the flow stays there"
        return Expectation(stays, (Reason(text, cite.CONNTRACK_CODE),))
    if True in readings:
        text = f"EndpointSlices contradict each other about whether {name} still serves the address"
        return Expectation(Unspecified(text), (Reason(text, cite.SLICE_CACHE_CODE),))
    text = f"{name} serves the address no more: what is remembered of the flow is removed, and it is routed anew"
    anew = expect(state, client, destination)
    return Expectation(anew.outcome, (Reason(text, cite.CONNTRACK_CODE), *anew.reasons))


def _serves(state: ClusterState, destination: Destination, held: Target) -> set[bool]:
    """Whether ``held`` is a serving endpoint of a Service port that has the address, by every reading of the slices."""
    found = set[bool]()
    named = {s.key: s for s in state.index.with_address(destination.ip)}
    named |= {s.key: s for s in state.index.with_node_port(destination.port)}
    for service in named.values():
        if proxied(service, destination.family):
            for port in service.ports:
                if _owns(state, service, port, destination):
                    readings = variants_of(state, service, port, destination.family)
                    found |= {
                        any(b.serving and (b.address, b.port) == (held.address, held.port) for b in every)
                        for every in readings
                    }
    return found


def _owns(state: ClusterState, service: Service, port: ServicePort, destination: Destination) -> bool:
    if port.protocol is not destination.protocol:
        return False
    if port.port == destination.port:
        inner, outer = cluster_ip(service, destination.family), load_balancer_ips(state.proxy, service)
        if destination.ip in {inner, *service.external_ips, *outer}:
            return True
    return port.node_port == destination.port and is_node_address(state, destination.ip)
