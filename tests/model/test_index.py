"""What is looked up is what a search of everything would find."""

from __future__ import annotations

from hypothesis import given, settings

from conformance.model.addresses import contains
from conformance.model.cluster import ClusterState
from conformance.model.kube import IPMode
from tests.oracle.strategies import states


def addresses(state: ClusterState) -> list[str]:
    """Every address that anything in ``state`` has, and two that nothing has."""
    found = ["192.0.2.77", "2001:db8:77::1"]
    for service in state.services.values():
        found += [ip for ip in service.cluster_ips if ip != "None"]
        found += [*service.external_ips, *(i.ip for i in service.ingress)]
    found += [a for some in state.slices.values() for one in some for e in one.endpoints for a in e.addresses]
    return found + [a for node in state.nodes.values() for a in (*node.addresses, *node.local)]


@settings(max_examples=40)
@given(state=states())
def test_an_index_finds_what_a_search_does(state: ClusterState) -> None:
    services = [state.services[key] for key in sorted(state.services)]
    nodes = sorted(state.nodes.values(), key=lambda node: node.name)
    for ip in addresses(state):
        having = [s for s in services if ip in (*s.cluster_ips, *s.external_ips, *(i.ip for i in s.ingress))]
        assert list(state.index.with_address(ip)) == having
        ends = [(one, e) for some in state.slices.values() for one in some for e in one.endpoints if ip in e.addresses]
        assert list(state.index.endpoints(ip)) == ends
        serving = [
            s for s in services if any(ip in e.addresses for one in state.slices.get(s.key, ()) for e in one.endpoints)
        ]
        assert list(state.index.with_endpoint(ip)) == serving
        assert state.index.owner(ip) == next((n for n in nodes if n.owns(ip)), None)
        inside = next((n for n in nodes if any(contains(c, ip) for c in n.pod_cidrs)), None)
        assert state.index.pod_network(ip) == inside
    for number in {p.node_port for s in services for p in s.ports} | {1}:
        assert list(state.index.with_node_port(number)) == [
            s for s in services if number in {p.node_port for p in s.ports}
        ]
    assert state.index.health_checks == {s.health_check_node_port for s in services}
    assert state.index.past_nodes == {i.ip for s in services for i in s.ingress if i.ip_mode is IPMode.PROXY}
