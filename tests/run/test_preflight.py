"""The preflight of a lab whose configuration says that it is to be left: live objects, rulesets of its nodes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.cluster.api import Cluster
from conformance.cluster.connection import connect
from conformance.lab.launch.start import Lab
from tests.run.conftest import Run
from tests.run.identities import permitted

CONFIGURATION = "/api/v1/namespaces/kube-system/configmaps/kube-proxy"
SERVICES = "/api/v1/namespaces/default/services"
IPVS = "mode: ipvs\nipvs: {scheduler: sh, strictARP: true}\niptables: {masqueradeBit: 15}"


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Iterator[Cluster]:
    """The lab's API, with a node port Service and a configuration of ipvs mode."""
    api = connect(lab.kubeconfig)
    held = api.get(CONFIGURATION)["data"]["config.conf"]
    ports = [{"port": 80, "protocol": "TCP"}]
    spec = {"type": "NodePort", "ports": ports}
    api.create(SERVICES, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    api.patch(CONFIGURATION, {"data": {"config.conf": held.replace("mode: nftables", IPVS)}})
    yield api
    api.patch(CONFIGURATION, {"data": {"config.conf": held}})
    api.delete(f"{SERVICES}/web")
    api.close()


def told(done: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict[str, Any]]:
    assert not done.stderr, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {(one["kind"], one["object"]): one for one in found}


def test_a_lab_in_ipvs_mode_as_far_as_its_api_tells(
    lab: Lab, cluster: Cluster, nftconform: Run, tmp_path: Path
) -> None:
    listing = nftconform("lab", "exec", "--dir", str(lab.directory), "node-a", "--", "nft", "-j", "list", "ruleset")
    (tmp_path / "a.json").write_text(listing.stdout)
    done = nftconform("preflight", "--kubeconfig", str(lab.kubeconfig), "--ruleset", "node-a=a.json", "--json")
    assert done.returncode == 2, done.stderr
    found = told(done)
    assert found["ipvs-scheduler", ""]["evidence"] == "ipvs.scheduler is sh"
    assert found["ipvs-scheduler", ""]["learned"] == "ConfigMap kube-system/kube-proxy, config.conf"
    assert found["option-ignored", "iptables.masqueradeBit"]["severity"] == "warning"
    assert found["option-ignored", "ipvs.strictARP"]["severity"] == "note"
    port = cluster.get(f"{SERVICES}/web")["spec"]["ports"][0]["nodePort"]
    assert found["node-port-addresses", "default/web"]["evidence"].startswith(f"node port {port}/TCP; whether nodes")
    assert ("node-port-localhost", "default/web") not in found  # ipvs mode has none
    assert {name for kind, name in found if kind == "firewall-unknown"} == {"node-b", "node-c"}
    assert {name for kind, name in found if kind == "nft-unknown"} == {"node-a", "node-b", "node-c"}
    assert found["component-unknown", "lab-bridge"]["severity"] == "unknown"


def test_who_may_read_less_learns_less_and_is_told_what_helps(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    """An identity that may list nodes and nothing else."""
    rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]
    config = permitted(tmp_path / "config", lab, "looker", rules)
    done = nftconform("preflight", "--kubeconfig", config, "--json")
    assert done.returncode == 2, done.stderr
    found = told(done)
    assert "grant 'list services'" in found["services-unknown", ""]["learned"]
    assert "grant 'get configmaps in kube-system'" in found["configuration-unknown", ""]["learned"]
    assert ("nodes-unknown", "") not in found
