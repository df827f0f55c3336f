"""Flows that were there before the cluster changed: connection tracking remembers what no rule says any more."""

from __future__ import annotations

from conformance.model.addresses import Family, Protocol
from conformance.model.client import Client, Destination
from conformance.model.cluster import ClusterState
from conformance.model.outcome import Expectation, Reaches, Target
from conformance.model.source import Reason
from conformance.oracle.capture import load_balancer_ips, proxied
from conformance.oracle.endpoints import variants_of
from conformance.oracle.walk import expect
from conformance.spec import sources as cite


def expect_established(
    state: ClusterState, client: Client, destination: Destination, held: Target | None
) -> Expectation:
    """What must happen to the next packets of a flow that ``held`` has answered so far; None: nobody has.

    A TCP connection or SCTP association stays where it is as long as its endpoint lives, whatever the API says. A UDP
    flow stays as long as its endpoint serves the Service that owns the address, policies and hints aside; otherwise it
    is routed like a new one, for kube-proxy removes what conntrack remembers of it.
    """
    if held is None:
        return expect(state, client, destination)
    stays = Reaches(frozenset({held}))
    if destination.protocol is not Protocol.UDP:
        text = f"an established connection stays at {held.pod or held.address} until one of its ends closes it"
        return Expectation(stays, (Reason(text, cite.CONNTRACK_CODE),))
    if _serves(state, destination, held):
        text = f"{held.pod or held.address} still serves the address, so the flow stays there"
        return Expectation(stays, (Reason(text, cite.CONNTRACK_CODE),))
    text = f"{held.pod or held.address} serves the address no more, so the flow is routed like a new one"
    anew = expect(state, client, destination)
    return Expectation(anew.outcome, (Reason(text, cite.CONNTRACK_CODE), *anew.reasons))


def _serves(state: ClusterState, destination: Destination, held: Target) -> bool:
    """Whether ``held`` is a serving endpoint, terminating or not, of a Service port that has the address."""
    family, ip = destination.family, destination.ip
    at_node = any(node.owns(ip) for node in state.nodes.values())
    for service in state.services.values():
        if not proxied(service, family):
            continue
        own = {*service.cluster_ips, *service.external_ips, *load_balancer_ips(state.proxy, service)}
        for port in service.ports:
            named = (ip in own and port.port == destination.port) or (at_node and port.node_port == destination.port)
            if not named or port.protocol is not destination.protocol:
                continue
            readings = variants_of(state, service, port, Family.of(held.address))
            if any((b.address, b.port) == (held.address, held.port) and b.serving for every in readings for b in every):
                return True
    return False
