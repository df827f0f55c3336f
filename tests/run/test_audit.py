"""The audit of a lab, as a user runs it: nothing where all is well, and what somebody changed on one node."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from conformance.cluster.connection import connect
from conformance.cluster.output import output
from conformance.cluster.pods import PodRef
from conformance.lab.launch.start import Lab
from tests.run.conftest import Run
from tests.run.test_bad_input import refused


def on_node(lab: Lab, node: str, *command: str) -> str:
    """What a command in that node's kube-proxy pod prints."""
    cluster = connect(lab.kubeconfig)
    try:
        pods = cluster.objects("Pod", "kube-system", "k8s-app=kube-proxy")
        name = next(p["metadata"]["name"] for p in pods if p["spec"]["nodeName"] == node)
        return "".join(output(cluster, PodRef("kube-system", name), *command))
    finally:
        cluster.close()


def test_a_healthy_lab(lab: Lab, nftconform: Run) -> None:
    done = nftconform("audit", "--kubeconfig", str(lab.kubeconfig))
    assert (done.returncode, done.stdout) == (0, "no finding on 3 nodes: node-a, node-b, node-c\n"), done.stderr


def test_a_sample_of_it(lab: Lab, nftconform: Run) -> None:
    done = nftconform("audit", "--kubeconfig", str(lab.kubeconfig), "--max-nodes", "1")
    assert done.stdout == "no finding on 1 node: node-a\n", done.stderr


def test_a_fault_that_was_switched_off_leaves_nothing(lab: Lab, nftconform: Run) -> None:
    for switch in ("on", "off"):
        done = nftconform("lab", "fault", switch, "--dir", str(lab.directory), "no-hairpin")
        assert done.returncode == 0, done.stderr
        done = nftconform("audit", "--kubeconfig", str(lab.kubeconfig))
        assert done.returncode == (switch == "on"), done.stdout + done.stderr


@pytest.fixture
def changed(lab: Lab) -> Iterator[None]:
    """Node b with a rule of somebody's, and without one of the maps."""

    def nft(*words: str) -> str:
        return on_node(lab, "node-b", "nft", *words)

    chain, map_ = ("chain", "ip", "kube-proxy", "filter-forward"), ("map", "ip6", "kube-proxy", "service-ips")
    healthy = [nft("list", *one) for one in (chain, map_)]
    nft("add", "rule", *chain[1:], "ip", "saddr", "192.0.2.7", "drop")
    nft("flush", *map_)
    yield
    nft("flush", *chain)
    nft("\n".join(healthy))  # the next test's node is whole


@pytest.mark.usefixtures("changed")
def test_what_somebody_changed_on_one_node(lab: Lab, nftconform: Run) -> None:
    done = nftconform("audit", "--kubeconfig", str(lab.kubeconfig), "--json")
    assert done.returncode == 1, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {f["node"] for f in found} == {"node-b"}
    assert ("foreign", "chain filter-forward") in {(f["kind"], f["where"]) for f in found}
    assert ("missing", "kube-system/kube-dns:dns") in {(f["kind"], f["object"]) for f in found}


def test_a_node_that_is_not_there(lab: Lab, nftconform: Run) -> None:
    refused(nftconform("audit", "--kubeconfig", str(lab.kubeconfig), "--node", "node-z"), "no node 'node-z'", "node-a")
