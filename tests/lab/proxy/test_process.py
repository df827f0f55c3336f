"""The proxy as a process in a node's namespace: rules, health, metrics, and what it leaves behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.proxy.daemon import (
    CIDRS,
    NODE_IP,
    NODES,
    ROOT,
    SERVICES,
    SLICES,
    Cluster,
    node,
    one_slice,
    service,
    until,
)

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns

HEALTH_PORT = 32111


@pytest.fixture
def cluster(netns: Netns, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(netns, tmp_path)
    try:
        made.send("ADDED", NODES, node())
        made.send("ADDED", CIDRS, {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/16"]}})
        yield made
    finally:
        made.close()


def test_services_come_change_and_go(cluster: Cluster) -> None:
    cluster.send("ADDED", SERVICES, service("web", "10.96.0.7"))
    cluster.start()
    until(lambda: "10.96.0.7 . tcp . 80 comment" in cluster.rules())
    assert "ip daddr 10.96.0.0/16 drop" in cluster.rules()
    cluster.send("ADDED", SLICES, one_slice("web", "10.244.1.9", "10.244.1.8"))
    until(lambda: "mod 2 map { 0 : 10.244.1.8 . 8080, 1 : 10.244.1.9 . 8080 }" in cluster.rules())
    cluster.send("MODIFIED", SLICES, one_slice("web", "10.244.1.9"))
    until(lambda: "mod 1 map { 0 : 10.244.1.9 . 8080 }" in cluster.rules())
    cluster.send("DELETED", SERVICES, service("web", "10.96.0.7"))
    until(lambda: "10.96.0.7" not in cluster.rules())
    until(lambda: "/web/" not in cluster.rules())  # the emptied chains, in a later transaction
    _, _, metrics = cluster.get("http://127.0.0.1:10249/metrics")
    assert "nftables_sync_failures_total{" not in metrics
    assert "nftables_cleanup_failures_total{" not in metrics
    (programmed,) = [
        x for x in metrics.splitlines() if x.startswith("kubeproxy_network_programming_duration_seconds_c")
    ]
    assert programmed.endswith(" 2.0")
    assert 'kubeproxy_sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"} 1.0' in metrics


def test_new_service_cidr_is_programmed_at_once(cluster: Cluster) -> None:
    cluster.start()
    until(lambda: "ip daddr 10.96.0.0/16 drop" in cluster.rules())
    cluster.send("ADDED", CIDRS, {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.99.0.0/16"]}})
    until(lambda: "ip daddr { 10.96.0.0/16, 10.99.0.0/16 } drop" in cluster.rules())


def test_rules_stay_after_the_end_until_cleaned_up(cluster: Cluster) -> None:
    cluster.start()
    until(lambda: "table ip6 kube-proxy" in cluster.rules())
    assert cluster.stop() == 0
    assert "table ip kube-proxy" in cluster.rules()
    assert (
        subprocess.run(
            cluster.netns.command(sys.executable, *cluster.command("--cleanup")), cwd=ROOT, check=True
        ).returncode
        == 0
    )
    assert cluster.rules() == ""


def test_health_of_the_proxy_and_of_its_node(cluster: Cluster) -> None:
    cluster.start()
    until(lambda: cluster.status("http://127.0.0.1:10256/healthz") == 200)
    until(lambda: '"IPv6"' in cluster.get("http://[::1]:10256/livez")[2])
    status, headers, body = cluster.get(f"http://{NODE_IP}:10256/healthz")
    assert (status, headers["Content-Type"], headers["X-Content-Type-Options"]) == (200, "application/json", "nosniff")
    answer = json.loads(body)
    assert list(answer) == ["lastUpdated", "currentTime", "nodeEligible", "healthy", "status"]
    assert answer["status"]["IPv4"]["healthy"] is True
    cluster.send("MODIFIED", NODES, node(spec={"taints": [{"key": "ToBeDeletedByClusterAutoscaler"}]}))
    until(lambda: cluster.status("http://127.0.0.1:10256/healthz") == 503)
    assert cluster.status("http://127.0.0.1:10256/livez") == 200
    assert cluster.get("http://127.0.0.1:10249/proxyMode")[2] == "nftables"
    assert "kubeproxy.config.k8s.io" in json.loads(cluster.get("http://127.0.0.1:10249/configz")[2])


def test_health_check_node_port_counts_local_endpoints(cluster: Cluster) -> None:
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": HEALTH_PORT}
    cluster.send("ADDED", SERVICES, service("web", "10.96.0.7", **spec))
    cluster.send("ADDED", SLICES, one_slice("web", "10.244.1.9", "10.244.1.8"))
    cluster.start()
    url = f"http://{NODE_IP}:{HEALTH_PORT}/"
    until(lambda: cluster.status(url) == 200)
    _, headers, body = cluster.get(url)
    assert headers["X-Load-Balancing-Endpoint-Weight"] == "2"
    assert '\t"localEndpoints": 2,\n' in body
    assert cluster.status(f"http://127.0.0.1:{HEALTH_PORT}/") == 0  # the node's addresses only
    cluster.send("MODIFIED", SLICES, one_slice("web", "10.244.1.9", node_name="n2"))
    until(lambda: cluster.status(url) == 503)
    assert json.loads(cluster.get(url)[2])["localEndpoints"] == 0
    taken = service("web", "10.96.0.7", **spec)
    taken["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "another"}
    cluster.send("MODIFIED", SERVICES, taken)
    until(lambda: cluster.status(url) == 0)
    cluster.send("MODIFIED", SERVICES, service("web", "10.96.0.7", **spec))
    until(lambda: cluster.status(url) == 503)
    cluster.send("DELETED", SERVICES, service("web", "10.96.0.7", **spec))
    until(lambda: cluster.status(url) == 0)


def test_failed_sync_is_counted_and_made_up_for(cluster: Cluster) -> None:
    cluster.start()
    until(lambda: "table ip6 kube-proxy" in cluster.rules())
    cluster.netns.nft("flush ruleset")
    assert "kube-proxy" not in cluster.rules()
    cluster.send("ADDED", SERVICES, service("web", "10.96.0.7"))
    # The small change fails for want of a table; the full sync a period later brings everything back.
    until(lambda: "10.96.0.7" in cluster.rules() and "chain nat-prerouting" in cluster.rules())
    _, _, metrics = cluster.get("http://127.0.0.1:10249/metrics")
    assert 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total{ip_family="IPv4"} 1.0' in metrics


def test_stickiness_outlives_a_restart(cluster: Cluster) -> None:
    cluster.send("ADDED", SERVICES, service("web", "10.96.0.7", sessionAffinity="ClientIP"))
    cluster.send("ADDED", SLICES, one_slice("web", "10.244.1.9", "10.244.1.8"))
    cluster.start()
    until(lambda: "set affinity-" in cluster.rules())
    (name, _) = sorted(line.split()[1] for line in cluster.rules().splitlines() if "set affinity-" in line)
    cluster.netns.nft(f"add element ip kube-proxy {name} {{ 10.244.1.77 }}")
    assert cluster.stop() == 0
    cluster.start()
    until(lambda: cluster.status("http://127.0.0.1:10256/healthz") == 200)
    until(lambda: '"IPv4"' in cluster.get("http://127.0.0.1:10256/livez")[2])
    cluster.send("ADDED", SERVICES, service("other", "10.96.0.8"))
    until(lambda: "10.96.0.8" in cluster.rules())
    assert "10.244.1.77" in cluster.rules()


def test_new_node_address_takes_node_ports(cluster: Cluster) -> None:
    cluster.start()
    until(lambda: f"elements = {{ {NODE_IP} }}" in cluster.rules())
    cluster.netns.run("ip", "addr", "add", "172.30.99.21/24", "dev", "eth0")
    cluster.send("MODIFIED", NODES, node("172.30.99.21", "fd99::11"))
    until(lambda: "elements = { 172.30.99.21 }" in cluster.rules())


def test_an_nft_that_cannot_list_still_programs(cluster: Cluster, tmp_path: Path) -> None:
    wrapper = tmp_path / "bin" / "nft"
    wrapper.parent.mkdir()
    real = shutil.which("nft")
    wrapper.write_text(f'#!/bin/sh\ncase "$*" in *list*) echo no >&2; exit 1;; esac\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    cluster.send("ADDED", SERVICES, service("web", "10.96.0.7"))
    cluster.start(wrapper.parent)
    until(lambda: "10.96.0.7 . tcp . 80 comment" in cluster.rules())
    cluster.send("ADDED", SLICES, one_slice("web", "10.244.1.9"))
    until(lambda: "0 : 10.244.1.9 . 8080" in cluster.rules())
    cluster.send("DELETED", SERVICES, service("web", "10.96.0.7"))
    until(lambda: "/web/" not in cluster.rules())
