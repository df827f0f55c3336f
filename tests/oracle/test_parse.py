"""API JSON to nouns: the API's defaults where a field lacks, a clear error where a value is nonsense."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.model.addresses import Family, Protocol
from conformance.model.fields import MalformedObject
from conformance.model.kube import IPMode, Policy, ServiceType
from conformance.model.parse import cluster_state, endpoint_slice, node, service

SERVICE: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "ns"},
    "spec": {"clusterIP": "10.96.0.1", "ports": [{"port": 80}]},
}
SLICE: dict[str, Any] = {
    "metadata": {"name": "web-1", "namespace": "ns", "labels": {"kubernetes.io/service-name": "web"}},
    "addressType": "IPv4",
    "ports": [{"port": 8080}],
    "endpoints": [{"addresses": ["10.244.1.11"]}],
}


def with_value(obj: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(obj)
    at: Any = changed
    *steps, last = path.split(".")
    for step in steps:
        at = at[int(step)] if step.isdigit() else at.setdefault(step, {})
    at[int(last) if last.isdigit() else last] = value
    return changed


def test_service_defaults() -> None:
    parsed = service(SERVICE)
    assert parsed.key == "ns/web"
    assert parsed.type is ServiceType.CLUSTER_IP
    assert parsed.internal_policy is parsed.external_policy is Policy.CLUSTER
    assert parsed.affinity_seconds is None
    assert parsed.ip_families == (Family.IPV4,)
    (port,) = parsed.ports
    assert (port.name, port.protocol, port.port, port.target_port, port.node_port) == ("", Protocol.TCP, 80, 80, 0)


def test_affinity_default_and_ingress() -> None:
    sticky = service(with_value(SERVICE, "spec.sessionAffinity", "ClientIP"))
    assert sticky.affinity_seconds == 10800
    addresses = [{"hostname": "lb.example"}, {"ip": "203.0.113.1"}]
    (ingress,) = service(with_value(SERVICE, "status.loadBalancer.ingress", addresses)).ingress
    assert (ingress.ip, ingress.ip_mode) == ("203.0.113.1", IPMode.VIP)


def test_blanks_around_a_source_range_are_trimmed() -> None:
    assert service(with_value(SERVICE, "spec.loadBalancerSourceRanges", [" 10.0.0.1/8 "])).source_ranges == (
        "10.0.0.0/8",
    )


def test_endpoint_conditions_default_to_usable() -> None:
    (endpoint,) = endpoint_slice(SLICE).endpoints
    assert endpoint.ready
    assert endpoint.serving
    assert not endpoint.terminating
    (port,) = endpoint_slice(SLICE).ports
    assert (port.name, port.protocol, port.port) == ("", Protocol.TCP, 8080)


def test_a_state_of_three_lists() -> None:
    fqdn = with_value(with_value(SLICE, "addressType", "FQDN"), "endpoints", [{"addresses": ["a.example"]}])
    stray = with_value(SLICE, "metadata.labels", {})
    a_node = {
        "metadata": {"name": "a", "labels": {"topology.kubernetes.io/zone": "z"}},
        "status": {"addresses": [{"type": "Hostname", "address": "a"}, {"type": "InternalIP", "address": "10.0.0.1"}]},
    }
    state = cluster_state([SERVICE], [SLICE, fqdn, stray], [a_node], local={"a": ["10.0.0.1", "10.244.1.1"]})
    assert len(state.slices["ns/web"]) == 1
    assert state.nodes["a"].addresses == ("10.0.0.1",)
    assert state.nodes["a"].local == ("10.244.1.1",)
    assert state.nodes["a"].zone == "z"


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("spec.type", "Cluster", "spec.type"),
        ("spec.ports.0.port", 70000, "70000"),
        ("spec.ports.0.port", "http", "http"),
        ("spec.ports.0.protocol", "ICMP", "ICMP"),
        ("spec.clusterIP", "10.96.0", "10.96.0"),
        ("spec.externalIPs", ["x"], "spec.externalIPs"),
        ("spec.internalTrafficPolicy", "Node", "spec.internalTrafficPolicy"),
        ("spec.sessionAffinity", "Cookie", "Cookie"),
        ("spec.loadBalancerSourceRanges", ["10.0.0.0/64"], "10.0.0.0/64"),
        ("spec", [], "spec is list"),
        ("kind", "Pod", "a Pod"),
        ("metadata", {}, "metadata.name"),
    ],
)
def test_nonsense_in_a_service_is_named(path: str, value: object, named: str) -> None:
    with pytest.raises(MalformedObject, match=named):
        service(with_value(SERVICE, path, value))


def test_nonsense_in_slices_and_nodes_is_named() -> None:
    with pytest.raises(MalformedObject, match="addressType"):
        endpoint_slice(with_value(SLICE, "addressType", "FQDN"))
    with pytest.raises(MalformedObject, match="fd44::1 is not IPv4"):
        endpoint_slice(with_value(SLICE, "endpoints.0.addresses", ["fd44::1"]))
    with pytest.raises(MalformedObject, match="no CIDR"):
        node({"metadata": {"name": "a"}, "spec": {"podCIDR": "10.244.1.0/99"}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)
PATHS = (
    "metadata",
    "metadata.labels",
    "spec",
    "status",
    "spec.ports",
    "spec.ports.0.port",
    "spec.ports.0.targetPort",
    "spec.clusterIPs",
    "spec.type",
    "spec.sessionAffinityConfig",
    "status.loadBalancer",
    "status.loadBalancer.ingress",
)


@given(st.sampled_from(PATHS), JSON)
def test_no_json_escapes_as_another_error(path: str, value: object) -> None:
    try:
        parsed = service(with_value(SERVICE, path, value))
    except MalformedObject as fault:
        assert str(fault)
    else:
        assert parsed.name
