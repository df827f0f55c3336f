"""Every fact of a lab is right: what its API tells, what a run learns besides, and what nobody can know there."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from junitparser import JUnitXml

from conformance.cli.facts import facts as command
from conformance.cluster.connection import connect
from conformance.lab.launch.start import Lab, environment

NODES = ("node-a", "node-b", "node-c")


def learned(lab: Lab, *more: str) -> dict[str, dict[str, Any]]:
    done = CliRunner().invoke(command, ["--kubeconfig", str(lab.kubeconfig), "--json", *more], standalone_mode=False)
    assert done.exception is None, done.output
    found: dict[str, dict[str, Any]] = json.loads(done.output)
    return found


def test_what_the_api_tells(lab: Lab) -> None:
    facts = learned(lab)
    known = {name: fact["value"] for name, fact in facts.items() if fact["value"] is not None}
    nodes = {node.pop("name"): node for node in known.pop("nodes")}
    assert tuple(nodes) == NODES
    assert all(len(node["addresses"]) == 2 and len(node["pod_cidrs"]) == 2 for node in nodes.values())
    version = known.pop("version")
    release = version.partition("+")[0]
    assert release.startswith("v1.")
    assert known == {
        "zones": {node: f"zone-{node[-1]}" for node in NODES},
        "unschedulable": [],
        "kubelets": dict.fromkeys(NODES, release),
        "systems": dict.fromkeys(NODES, platform.freedesktop_os_release()["PRETTY_NAME"]),
        "kernels": dict.fromkeys(NODES, os.uname().release),
        "runtimes": dict.fromkeys(NODES, f"nftconform-lab://{release[1:]}"),
        "families": ["IPv4", "IPv6"],
        "service_cidrs": ["10.96.0.0/16", "fd00:96::/112"],
        "cluster_cidrs": ["10.244.0.0/16", "fd44::/16"],
        "proxy_mode": "nftables",
        "configured_mode": "nftables",
        "detect_local": "ClusterCIDR",
        "node_port_addresses": [],
        "masquerade_all": False,
        "localhost_node_ports": True,
        "proxy_replacement": "none",
        "cni": "lab-bridge",
        "host_ports": True,
        "cni_agent": "kube-system/lab-network-agent",
        "dns": ["10.96.0.10", "fd00:96::a"],
        "node_local_dns": False,
        "may_exec": True,
    }


def test_what_nobody_can_know_says_why(lab: Lab) -> None:
    """The lab's images are its own: a plugin, a server or a balancer that is not recognised is not guessed."""
    unknown = {name: fact["source"] for name, fact in learned(lab).items() if fact["value"] is None}
    assert unknown.pop("proxy_modes").endswith("metricsBindAddress is 127.0.0.1, so only the node itself may ask "
                                               "/proxyMode")  # fmt: skip
    for name in ("local_addresses", "pod_masquerade"):
        assert unknown.pop(name) == "the API does not tell: needs a process on the nodes"
    for name in ("nft_versions", "host_nft_versions", "kernel_modes", "foreign_drops"):
        assert unknown.pop(name) == "the API does not tell: needs to look at the nodes themselves (--node-access)"
    assert unknown.pop("policy_enforced") == "no case needs it"
    assert unknown.pop("cni_dataplane") == "nobody tells it of lab-bridge"
    assert set(unknown) == {
        "cni_version", "policy_engine", "load_balancer", "dns_server", "dns_version", "admission",
    }  # fmt: skip
    assert all("no known " in why and "among DaemonSets and Deployments" in why for why in unknown.values())


def test_what_is_given_is_printed_as_given(lab: Lab) -> None:
    facts = learned(lab, "--fact", "cni=bridge", "--fact", "nft_versions=node-a=1.0.6")
    assert facts["cni"] == {"value": "bridge", "source": "given"}
    assert facts["nft_versions"] == {"value": {"node-a": "1.0.6"}, "source": "given"}


def test_the_table_fits_a_narrow_terminal(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = CliRunner().invoke(command, ["--kubeconfig", str(lab.kubeconfig)])
    assert done.exit_code == 0
    assert max(map(len, done.output.splitlines())) <= 80
    assert "proxy_mode " in done.output


def test_a_run_learns_the_rest_and_reports_everything(lab: Lab, tmp_path: Path) -> None:
    reports = run(lab, tmp_path, "--fact", "cni=bridge", "--node-access", "privileged")
    assert re.fullmatch(r"\d+(\.\d+)+ on all 3 \(nft in kube-proxy's pods\)", reports["fact.nft_versions"])
    assert re.fullmatch(r"\d+(\.\d+)+ on all 3 \(nft of the nodes\)", reports["fact.host_nft_versions"])
    assert reports["fact.kernel_modes"] == "nftables on all 3 (rulesets of the nodes)"
    assert reports["fact.cni"] == "bridge (given)"
    assert reports["fact.proxy_modes"] == "nftables on all 3 (kube-proxy's /proxyMode on each node)"
    assert reports["fact.proxy_mode"] == "nftables (kube-proxy's /proxyMode on each node)"
    assert reports["fact.pod_masquerade"] == "no (pods' control dials to other nodes)"
    assert reports["fact.local_addresses"].endswith("(host-network agents on the nodes)")
    assert reports["kubernetes"] == learned(lab)["version"]["value"]


def test_a_configuration_that_nobody_has_taken_up_yet_is_told(lab: Lab, tmp_path: Path) -> None:
    """Somebody edits the ConfigMap and forgets to restart the proxies: the mode that runs counts."""
    path = "/api/v1/namespaces/kube-system/configmaps/kube-proxy"
    cluster = connect(lab.kubeconfig)
    try:
        held = cluster.get(path)["data"]["config.conf"]
        cluster.patch(path, {"data": {"config.conf": held.replace("mode: nftables", "mode: ipvs")}})
        try:
            assert learned(lab)["proxy_mode"]["value"] == "ipvs"
            reports = run(lab, tmp_path)
            told = "nftables (kube-proxy's /proxyMode on each node, although ConfigMap kube-system/kube-proxy, "
            assert reports["fact.proxy_mode"] == f"{told}config.conf says ipvs)"
        finally:
            cluster.patch(path, {"data": {"config.conf": held}})
    finally:
        cluster.close()


def run(lab: Lab, folder: Path, *more: str) -> dict[str, str]:
    """The properties in the report of a run of one cell."""
    asked = ("run", "--kubeconfig", str(lab.kubeconfig), "--case", "CIP-01.ipv4-tcp", "--output", str(folder), *more)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "conformance.cli", *asked],
        capture_output=True, text=True, timeout=300, env=environment(), cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (suite,) = JUnitXml.fromfile(str(folder / "junit.xml"))
    return {one.name: one.value for one in suite.properties()}
