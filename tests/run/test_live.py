"""What a run does to a cluster and leaves in it, as its user permits."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.arrange.lease import Lease
from conformance.arrange.run import RUN
from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect
from conformance.lab.launch.start import Lab
from tests.run.conftest import Run
from tests.run.test_bad_input import refused
from tests.run.test_on_a_lab import cells, namespaces, outside

ALL = ("Pod", "Service", "ConfigMap", "EndpointSlice", "Secret")


@pytest.fixture(name="cluster")
def _cluster(lab: Lab) -> Iterator[Cluster]:
    cluster = connect(lab.kubeconfig)
    yield cluster
    cluster.close()


def run(nftconform: Run, lab: Lab, *options: str) -> subprocess.CompletedProcess[str]:
    return nftconform("run", "--kubeconfig", str(lab.kubeconfig), *options)


def test_restarts_of_kube_proxy_are_asked_only_where_permitted(
    lab: Lab, cluster: Cluster, nftconform: Run, tmp_path: Path
) -> None:
    chosen = ("--case", "RST-01.ipv4-tcp", "--case", "RST-02.ipv4-tcp", "--output", str(tmp_path))
    done = run(nftconform, lab, *chosen)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "disturbs others; not permitted (--disruptive)" in done.stdout
    before = proxies(cluster)
    done = run(nftconform, lab, *chosen, "--disruptive")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(cells(tmp_path / "junit.xml").values()) == {"passed"}
    assert {node for node, uid in proxies(cluster).items() if before[node] != uid} == {"node-b"}
    assert cluster.objects("Lease", "default") == []


def proxies(cluster: Cluster) -> dict[str, str]:
    """The UID of each node's kube-proxy pod."""
    return {
        p["spec"]["nodeName"]: p["metadata"]["uid"] for p in cluster.objects("Pod", "kube-system", "k8s-app=kube-proxy")
    }


def test_nobody_else_runs_while_a_cluster_is_disturbed(lab: Lab, cluster: Cluster, nftconform: Run) -> None:
    before = namespaces(lab)
    with Lease(cluster, "alice@there"):
        for options in ((), ("--disruptive",)):
            refused(run(nftconform, lab, "--case", "CIP-01", *options), "alice@there disturbs this cluster", "since 20")
    assert namespaces(lab) == before


def test_who_disturbs_does_not_while_another_run_is_under_way(lab: Lab, cluster: Cluster, nftconform: Run) -> None:
    labels = {"app.kubernetes.io/managed-by": "nftconform", RUN: "other1"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nftconform-other1", "labels": labels}}
    cluster.create("/api/v1/namespaces", body)
    refused(run(nftconform, lab, "--case", "RST-01", "--disruptive"), "nftconform-other1", "cleanup")
    assert cluster.objects("Lease", "default") == []
    done = nftconform("cleanup", "--kubeconfig", str(lab.kubeconfig), "--run", "other1")
    assert done.stdout == "removed 1 namespaces: nftconform-other1\n", done.stderr


def test_what_failed_is_left_to_be_looked_at_and_all_of_it_is_the_runs(
    lab: Lab, cluster: Cluster, nftconform: Run, tmp_path: Path
) -> None:
    before = namespaces(lab)
    switched = nftconform("lab", "fault", "on", "--dir", str(lab.directory), "no-hairpin")
    assert switched.returncode == 0, switched.stderr
    credentials = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "e30="}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry"}, **credentials}
    cluster.create("/api/v1/namespaces/default/secrets", secret)
    options = ("--max-nodes", "1", "--toleration", "none", "--image-pull-secret", "default/registry")
    done = run(nftconform, lab, "--case", "CIP-04.ipv4-tcp", "--keep-on-failure", *options, "--output", str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "on 1 of 3 nodes" in done.stdout
    left = sorted(namespaces(lab) - before)
    identity = left[0].removeprefix("nftconform-")
    assert left == [f"nftconform-{identity}", f"nftconform-{identity}-host"]
    assert f"`nftconform cleanup --run {identity}` removes them" in done.stderr
    made = [o for name in left for kind in ALL for o in cluster.objects(kind, name)]
    mine = [o for o in made if o["metadata"]["name"] != "kube-root-ca.crt"]
    assert {o["kind"] for o in mine} >= {"Pod", "ConfigMap", "Secret"}
    pods = [o["spec"] for o in mine if o["kind"] == "Pod"]
    assert all(p["imagePullSecrets"] == [{"name": "pull"}] for p in pods)
    assert {(o["metadata"].get("labels") or {}).get(RUN) for o in mine} == {identity}
    nftconform("cleanup", "--kubeconfig", str(lab.kubeconfig), "--run", identity)
    assert namespaces(lab) == before
    cluster.delete("/api/v1/namespaces/default/secrets/registry")
    assert nftconform("lab", "fault", "off", "--dir", str(lab.directory)).returncode == 0


def test_the_kit_itself_gives_addresses_and_its_external_client_a_way_to_them(
    lab: Lab, nftconform: Run, tmp_path: Path
) -> None:
    options = ("--lb", "status-patch", "--lb-range", "10.99.0.0/24", "--output", str(tmp_path))
    chosen = ("--case", "LB-01.ipv4-tcp", "--case", "LB-05.ipv4-tcp")
    done = run(nftconform, lab, *outside(lab), *options, *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(cells(tmp_path / "junit.xml").values()) == {"passed"}
    shown = nftconform("lab", "exec", "--dir", str(lab.directory), "x1", "--", "ip", "route", "show", "10.99.0.0/24")
    assert (shown.returncode, shown.stdout) == (0, "")


def test_what_cannot_be_used_is_told(lab: Lab, nftconform: Run) -> None:
    refused(run(nftconform, lab, "--case", "CIP-01", "--node-selector", "pool=none"), "None of the 3 Ready nodes")
    refused(run(nftconform, lab, "--case", "CIP-01", "--toleration", "gpu:Always"), "--toleration 'gpu:Always' is not")
    refused(nftconform("run", "--lab", "--keep-on-failure"), "--lab goes with the run")
