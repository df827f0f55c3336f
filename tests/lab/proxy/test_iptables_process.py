"""The proxy in iptables mode as a process: whole and small syncs, flushed tables, and what it leaves behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.lab.proxy.iptables.tool import program
from conformance.model.addresses import Family
from tests.lab.proxy.daemon import NODES, ROOT, SERVICES, SLICES, Cluster, node, one_slice, service, until

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns


@pytest.fixture
def cluster(netns: Netns, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(netns, tmp_path, "iptables")
    try:
        made.send("ADDED", NODES, node())
        yield made
    finally:
        made.close()


def saved(cluster: Cluster, family: Family = Family.IPV4) -> str:
    return cluster.netns.run(program(family, "save"))


def metric(cluster: Cluster, name: str) -> float:
    _, _, text = cluster.get("http://127.0.0.1:10249/metrics")
    (line,) = [line for line in text.splitlines() if line.startswith(f"kubeproxy_{name}")]
    return float(line.split()[-1])


def test_services_come_change_and_go(cluster: Cluster) -> None:
    cluster.send("ADDED", SERVICES, service("web", "10.96.0.7"))
    for name in ("other", "third"):
        cluster.send("ADDED", SERVICES, service(name, f"10.96.0.{len(name)}"))
        cluster.send("ADDED", SLICES, one_slice(name, "10.244.1.20"))
    cluster.start()
    rejected = '-A KUBE-SERVICES -d 10.96.0.7/32 -p tcp -m comment --comment "default/web:http has no endpoints"'
    until(lambda: rejected in saved(cluster))
    assert cluster.get("http://127.0.0.1:10249/proxyMode")[2] == "iptables"
    assert metric(cluster, "iptables_localhost_nodeports_accepted_packets_total") == 0
    before = metric(cluster, 'sync_proxy_rules_iptables_last{ip_family="IPv4",table="nat"}')
    cluster.send("ADDED", SLICES, one_slice("web", "10.244.1.9", "10.244.1.8"))
    until(lambda: "--to-destination 10.244.1.8:8080" in saved(cluster))
    assert '--comment "default/web:http -> 10.244.1.8:8080" -m statistic --mode random --probability 0.5' in saved(
        cluster
    )
    assert rejected not in saved(cluster)
    # Only what is new and what all share was written, though all is counted.
    total = metric(cluster, 'sync_proxy_rules_iptables_total{ip_family="IPv4",table="nat"}')
    written = metric(cluster, 'sync_proxy_rules_iptables_last{ip_family="IPv4",table="nat"}')
    assert (total - before, total - written) == (8, 8)
    cluster.send("DELETED", SERVICES, service("web", "10.96.0.7"))
    until(lambda: "default/web" not in saved(cluster))
    assert saved(cluster).count(":KUBE-SEP-") == saved(cluster).count(":KUBE-SVC-") == 2


def test_flushed_tables_are_written_anew(cluster: Cluster) -> None:
    cluster.send("ADDED", SERVICES, service("web", "10.96.0.7"))
    cluster.start()
    until(lambda: "10.96.0.7" in saved(cluster) and "table ip mangle" in cluster.rules())
    cluster.netns.nft("flush ruleset")
    assert saved(cluster) == ""
    until(lambda: "10.96.0.7" in saved(cluster) and "-A PREROUTING" in saved(cluster))


def test_a_jump_that_somebody_removed_is_back_after_a_restart_and_only_that(cluster: Cluster) -> None:
    cluster.start()
    until(lambda: "KUBE-POSTROUTING" in saved(cluster) and "KUBE-POSTROUTING" in saved(cluster, Family.IPV6))
    assert cluster.stop() == 0
    complete = saved(cluster)
    cluster.netns.run(program(Family.IPV4), "-t", "nat", "-F", "PREROUTING")
    cluster.start()
    until(lambda: "-A PREROUTING" in saved(cluster))
    assert without_counters(saved(cluster)) == without_counters(complete)


def without_counters(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("-A")]


def test_a_change_of_mode_leaves_nothing_of_the_other(cluster: Cluster) -> None:
    cluster.send("ADDED", SERVICES, service("web", "10.96.0.7"))
    cluster.send("ADDED", SLICES, one_slice("web", "10.244.1.9"))
    cluster.start()
    until(lambda: "10.244.1.9" in saved(cluster) and "KUBE-SERVICES" in saved(cluster, Family.IPV6))
    assert cluster.netns.run("cat", "/proc/sys/net/ipv4/conf/all/route_localnet") == "1\n"
    assert cluster.stop() == 0
    cluster.config.write_text(cluster.config.read_text().replace("iptables", "nftables"))
    cluster.start()
    until(lambda: "10.96.0.7 . tcp . 80" in cluster.rules() and "table ip6 kube-proxy" in cluster.rules())
    # The kubelet's chain stays, as kube-proxy leaves it.
    assert "KUBE-" not in cluster.rules().replace("KUBE-FIREWALL", "")
    assert cluster.stop() == 0
    cluster.config.write_text(cluster.config.read_text().replace("nftables", "iptables"))
    cluster.start()
    until(lambda: "10.244.1.9" in saved(cluster) and "KUBE-SERVICES" in saved(cluster, Family.IPV6))
    assert "table ip kube-proxy" not in cluster.rules()
    assert "table ip6 kube-proxy" not in cluster.rules()
    assert cluster.stop() == 0
    subprocess.run(cluster.netns.command(sys.executable, *cluster.command("--cleanup")), cwd=ROOT, check=True)
    assert "KUBE-" not in cluster.rules().replace("KUBE-FIREWALL", "")
