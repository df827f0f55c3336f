"""The Job's pod and the Sonobuoy plugin's in a lab, each with nothing but its ServiceAccount."""

from __future__ import annotations

import base64
import io
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml
from kubernetes import config, utils

from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect
from conformance.cluster.exec import ExecStream
from conformance.cluster.paths import kind
from conformance.lab.launch.start import Lab, running_lab
from tests.deploy.manifests import JOB, JSON, ROOT, job, plugin

SPACE = "nftconform"
CELL = "CIP-01.ipv4-tcp"
PATIENCE = 300.0
WORKER = 'until [ -e "$0/done" ]; do sleep 0.1; done; base64 "$(cat "$0/done")"'
"""What Sonobuoy's worker does, with the log in place of the aggregator."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab") / "lab", nodes=2) as lab:
        yield lab


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Iterator[Cluster]:
    """The lab's API, in which the RBAC of the kustomization has been created and both pods have been started."""
    loader: Any = config
    creator: Any = utils
    creator.create_from_yaml(loader.new_client_from_config(str(lab.kubeconfig)), str(JOB / "rbac.yaml"))
    cluster = connect(lab.kubeconfig)
    pod = job()["spec"]["template"]["spec"]
    pod["containers"][0]["args"] = ["--case", CELL]
    cluster.create(kind("Pod").path(SPACE), as_pod("job", pod))
    cluster.create(kind("Pod").path(SPACE), as_pod("sonobuoy", sonobuoy()))
    yield cluster
    cluster.close()


def sonobuoy() -> JSON:
    """The plugin as Sonobuoy makes a pod of it: its own container beside the plugin's, and a volume for both."""
    container = plugin()["spec"]
    container["env"][0]["value"] = f"--case {CELL}"
    (mount,) = container["volumeMounts"]
    worker = {
        "name": "worker",
        "image": "x",
        "command": ["sh", "-c", WORKER, mount["mountPath"]],
        "volumeMounts": [mount],
    }
    volumes = [{"name": mount["name"], "emptyDir": {}}]
    return {
        "serviceAccountName": SPACE,
        "restartPolicy": "Never",
        "containers": [container, worker],
        "volumes": volumes,
    }


def as_pod(name: str, spec: JSON) -> JSON:
    """For a lab, which has no Jobs and no images: a pod sees this machine's Python, and the checkout by a volume.

    It runs as root, for that Python may be where no other user gets to.
    """
    spec["securityContext"] = {"runAsUser": 0}
    spec["volumes"].append({"name": "kit", "hostPath": {"path": str(ROOT)}})
    spec["containers"][0]["volumeMounts"].append({"name": "kit", "mountPath": str(ROOT), "readOnly": True})
    spec["containers"][0].setdefault("env", []).append(
        {"name": "PATH", "value": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    )
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": SPACE}, "spec": spec}


def ended(cluster: Cluster, name: str, container: str) -> int:
    """The exit code of a container, waited for."""
    path, deadline = kind("Pod").path(SPACE), time.monotonic() + PATIENCE
    pods, version = cluster.snapshot(path)
    while time.monotonic() < deadline:
        for pod in pods:
            for status in (pod.get("status") or {}).get("containerStatuses") or ():
                if (pod["metadata"]["name"], status["name"]) == (name, container) and "terminated" in status["state"]:
                    return int(status["state"]["terminated"]["exitCode"])
        pods = next(([o] for _, o in cluster.watch(path, version, 5) if o["metadata"]["name"] == name), [])
        pods, version = cluster.snapshot(path)
    raise AssertionError(f"{container} of {name} did not end: {[p['status'] for p in pods]}")


def log(cluster: Cluster, name: str, container: str) -> str:
    return cluster.page(f"{kind('Pod').path(SPACE, name, 'log')}?container={container}", 1 << 20)


def unpacked(tarball: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        files = {member.name.removeprefix("./"): archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in files.items() if file}


def passed(junit: bytes) -> set[str]:
    return {case.name for suite in JUnitXml.fromstring(junit) for case in suite if not case.result}


def test_the_job_asks_the_cluster_that_it_is_in(cluster: Cluster) -> None:
    code = ended(cluster, "job", "run")
    said = log(cluster, "job", "run")
    assert code == 0, said
    assert "conformant: 1 cells judged" in said and "written: /reports/junit.xml" in said


def test_its_reports_stay_until_they_have_been_fetched(cluster: Cluster) -> None:
    ended(cluster, "job", "run")
    stream = ExecStream(
        cluster,
        SPACE,
        "job",
        ["sh", "-c", "base64 -w0 /reports/junit.xml && touch /reports/fetched && echo"],
        "reports",
    )
    held = stream.receive(10)
    stream.close()
    assert held and passed(base64.b64decode(held)) == {CELL}
    assert ended(cluster, "job", "reports") == 0


def test_sonobuoy_gets_a_tarball_with_the_junit(cluster: Cluster) -> None:
    assert ended(cluster, "sonobuoy", "worker") == 0, log(cluster, "sonobuoy", "plugin")
    held = unpacked(base64.b64decode(log(cluster, "sonobuoy", "worker")))
    assert passed(held["junit.xml"]) == {CELL}
    assert held["output.txt"].decode().endswith("exit code 0\n")
    assert [name for name in held if name.endswith(".xml")] == ["junit.xml"]


def test_their_accounts_can_clean_up(cluster: Cluster) -> None:
    for name, container in (("job", "run"), ("sonobuoy", "plugin")):
        ended(cluster, name, container)
    left = [n["metadata"]["name"] for n in cluster.objects("Namespace") if n["status"]["phase"] == "Active"]
    assert [name for name in left if name.startswith(f"{SPACE}-")] == []
