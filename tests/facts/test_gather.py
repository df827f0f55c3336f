"""Gathering from an API server: what is there is known with its source, what is not is unknown."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect
from conformance.facts.gather import gather
from conformance.model.cluster import ProxyMode


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    state = tmp_path_factory.mktemp("api")
    command = [sys.executable, "-m", "conformance.lab.api", "--listen", "127.0.0.1:0", "--state", str(state)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while not (state / "kubeconfig").exists() and time.monotonic() < deadline:
                assert process.poll() is None
                time.sleep(0.05)
            yield connect(state / "kubeconfig")
        finally:
            process.terminate()
            process.wait(20)


def test_a_cluster_without_nodes_and_proxy_is_mostly_unknown(cluster: Cluster) -> None:
    facts = gather(cluster)
    assert (facts.version.value or "").startswith("v1.")
    assert facts.nodes.source == "no node is Ready"
    assert facts.proxy_mode.source.startswith("there is no ConfigMap kube-system/kube-proxy;")
    assert facts.service_cidrs.source == "ServiceCIDRs"
    assert facts.cni.source == "no known CNI plugin among DaemonSets and Deployments, and nodes name none"
    assert facts.may_exec.value is True


def test_what_appears_is_known(cluster: Cluster) -> None:
    text = "kind: KubeProxyConfiguration\nmode: ipvs\nclusterCIDR: 10.1.0.0/16\n"
    body = {"kind": "ConfigMap", "metadata": {"name": "kube-proxy"}, "data": {"config.conf": text}}
    cluster.create("/api/v1/namespaces/kube-system/configmaps", body)
    facts = gather(cluster)
    assert facts.proxy_mode.value is ProxyMode.IPVS
    assert facts.cluster_cidrs.value == ("10.1.0.0/16",)
    assert facts.proxy_modes.source.endswith("metricsBindAddress is empty, so only the node itself may ask /proxyMode")
