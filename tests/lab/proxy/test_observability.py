"""What the proxy says of itself is what a real kube-proxy 1.36.2 said: health checks and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.lab.proxy.health import ProxyHealth, service_answer
from conformance.lab.proxy.metrics import Metrics
from conformance.lab.proxy.view import View
from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode
from tests.lab.proxy.conftest import load

if TYPE_CHECKING:
    from collections.abc import Iterable

ELIGIBLE = {"metadata": {"name": "n1"}}


@pytest.fixture(scope="module")
def recorded_view() -> View:
    def ignore(_: Iterable[Family]) -> None:
        pass

    data = load("objects.json.gz")
    view = View(ignore)
    for item in data["services"]:
        view.on_service("ADDED", item)
    for item in data["endpointslices"]:
        view.on_slice("ADDED", item)
    return view


def test_health_checks_answer_what_was_recorded(recorded_view: View) -> None:
    nodes = {n["metadata"]["name"]: n for n in load("objects.json.gz")["nodes"]}
    services = {s.name: s for s in recorded_view.services}
    recorded = load("healthchecks.json.gz")
    assert len(recorded) > 5
    for key, raw in recorded.items():
        name, node = key.split("@")
        recorded_view.on_node("ADDED", nodes[node])
        local = recorded_view.local_ready(services[name], Family.IPV4)
        status, body = service_answer("default", name, local, healthy=True)
        head, _, wanted = raw.replace("\r", "").partition("\n\n")
        assert head.startswith(f"HTTP/1.1 {status} ")
        assert f"X-Load-Balancing-Endpoint-Weight: {local}" in head
        assert body == wanted


# Read from the kernel when the metrics are; a process in a node's namespace has them.
_COUNTED = {
    "kubeproxy_iptables_ct_state_invalid_dropped_packets_total",
    "kubeproxy_iptables_localhost_nodeports_accepted_packets_total",
}


@pytest.mark.parametrize(
    ("mode", "file"),
    [(ProxyMode.NFTABLES, "metrics.json.gz"), (ProxyMode.IPTABLES, "iptables-metrics.json.gz")],
)
def test_metrics_have_the_recorded_names_types_and_buckets(mode: ProxyMode, file: str) -> None:
    metrics, recorded = Metrics(mode), load(file)
    for family in ("IPv4", "IPv6"):
        for one in (
            metrics.sync_duration,
            metrics.full_sync_duration,
            metrics.partial_sync_duration,
            metrics.network_programming,
            metrics.conntrack_duration,
        ):
            one.labels(family).observe(0.1)
        metrics.conntrack_deleted.labels(family).inc(0)
        metrics.last_sync.labels(family).set(1)
        metrics.last_queued.labels(family).set(1)
        for table in ("filter", "nat"):
            metrics.iptables_total.labels(table, family).set(1)
            metrics.iptables_last.labels(table, family).set(1)
        for policy in ("internal", "external"):
            metrics.no_local_endpoints.labels(family, policy).set(0)
    lines = metrics.text().decode().splitlines()
    types = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE kubeproxy_")}
    assert recorded["types"].items() <= types.items()
    mine: dict[str, set[frozenset[str]]] = {}
    for line in lines:
        name, _, rest = line.rpartition(" ")[0].partition("{")
        mine.setdefault(name, set()).add(_labels(rest.rstrip("}")))
    other = "nftables" if mode is ProxyMode.IPTABLES else "iptables"
    assert not [name for name in mine if other in name]
    for name, wanted in recorded["series"].items():
        if name in _COUNTED:
            continue
        assert mine[name] == {_labels(each) for each in wanted}, name


def _labels(text: str) -> frozenset[str]:
    """The labels, bucket bounds as numbers: one writes 1, the other 1.0."""
    pairs = (pair.split("=") for pair in text.split(",") if pair)
    return frozenset(f"{k}={float(v.strip(chr(34)))}" if k == "le" else f"{k}={v}" for k, v in pairs)


def test_proxy_is_unhealthy_while_a_change_waits_too_long() -> None:
    now = [1000.0]
    health = ProxyHealth(60, lambda: now[0])
    health.node = ELIGIBLE
    health.updated(Family.IPV4)
    health.updated(Family.IPV6)
    health.queued(Family.IPV6)
    now[0] += 59
    assert health.healthz()[0] == 200
    health.queued(Family.IPV6)  # the first one counts
    now[0] += 2
    assert health.healthz()[0] == health.livez()[0] == 503
    assert '"IPv4":{"lastUpdated":"1970-01-01T00:16:40Z","healthy":true}' in health.livez()[1]
    health.updated(Family.IPV6)
    assert health.healthz()[0] == 200


def test_a_node_that_goes_away_takes_no_new_connections() -> None:
    health = ProxyHealth(60)
    assert health.healthz()[0] == 503  # no node yet
    for leaving in (
        {"metadata": {"name": "n1", "deletionTimestamp": "2026-01-01T00:00:00Z"}},
        {"metadata": {"name": "n1"}, "spec": {"taints": [{"key": "ToBeDeletedByClusterAutoscaler"}]}},
    ):
        health.node = ELIGIBLE
        assert health.healthz()[0] == 200
        health.node = leaving
        assert health.healthz()[0] == 503
        assert health.livez()[0] == 200
