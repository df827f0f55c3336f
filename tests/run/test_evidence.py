"""Evidence of failures on a lab: what lacked, who dropped, and nothing left on any node."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.lab.launch.start import Lab, environment
from conformance.model.verdict import Status
from conformance.results.run import Run as Results
from reports.results_file import load
from tests.run.conftest import Run

FIREWALL = """\
table inet firewall {
  chain forward {
    type filter hook forward priority 10; policy drop;
    ct state established accept
    oifname "eth0" accept
  }
}
"""


def on(lab: Lab, node: str, *command: str, text: str = "") -> str:
    here = (sys.executable, "-m", "conformance.cli", "lab", "exec", "--dir", str(lab.directory), node, "--", *command)
    done = subprocess.run(here, input=text, check=True, env=environment(), stdout=subprocess.PIPE, text=True)
    return done.stdout


def results(lab: Lab, nftconform: Run, output: Path, *options: str) -> Results:
    common = ("--kubeconfig", str(lab.kubeconfig), "--patience", "3", "--output", str(output), "--trust", "0")
    done = nftconform("run", *common, *options)
    assert done.returncode == 1, done.stdout + done.stderr
    return load(output / "results.jsonl")


@pytest.fixture
def wrong_node(lab: Lab, nftconform: Run) -> Iterator[str]:
    """A node whose rules have nothing of Services."""
    fault = ("lab", "fault", "on", "one-node-wrong", "--node", "node-b", "--dir", str(lab.directory))
    assert nftconform(*fault).returncode == 0
    yield "node-b"
    assert nftconform("lab", "fault", "off", "--dir", str(lab.directory)).returncode == 0


@pytest.fixture
def firewall(lab: Lab) -> Iterator[None]:
    """A host firewall on node-a that does not let anything in for pods."""
    on(lab, "node-a", "nft", "-f", "/dev/stdin", text=FIREWALL)
    yield
    on(lab, "node-a", "nft", "delete", "table", "inet", "firewall")


def test_the_element_that_lacks_is_named_and_the_way_is_kept(
    lab: Lab, nftconform: Run, tmp_path: Path, wrong_node: str
) -> None:
    access = ("--node-access", "privileged", "--case", "NP-03.ipv4-tcp", "--case", "NP-03.ipv6-udp")
    run = results(lab, nftconform, tmp_path, *access)
    failed = [one for one in run.results if one.status is Status.FAILED]
    assert [one.id for one in failed] == ["NP-03.ipv4-tcp", "NP-03.ipv6-udp"]
    for one, protocol in zip(failed, ("tcp", "udp"), strict=True):
        found = run.evidence[one.id]
        assert one.divergence == found.divergence.sentence
        assert one.divergence.startswith(
            f"{wrong_node}: the packet left nat-prerouting untranslated: "
            f"no element of service-nodeports matches {protocol} . "
        )
        way = found.ways[found.divergence.way]
        assert (way.node, way.passages[found.divergence.passage].chain) == (wrong_node, "nat-prerouting")
        assert {state.node: state.unread for state in found.nodes} == {"node-a": (), wrong_node: ()}
        assert any("goto external-" in line for state in found.nodes for line in state.rules if state.node == "node-a")
        text = (tmp_path / "evidence" / one.id / "way.txt").read_text()
        assert "<== here it diverged" in text
        assert one.evidence == f"evidence/{one.id}/", "from where it was started"
    for node in ("node-a", "node-b", "node-c"):
        assert "nftconform" not in on(lab, node, "nft", "list", "tables")


@pytest.mark.usefixtures("firewall")
def test_who_dropped_is_named(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    run = results(lab, nftconform, tmp_path, "--node-access", "privileged", "--case", "NP-03.ipv4-tcp")
    assert [one.divergence for one in run.results] == ["node-a: dropped by inet firewall forward (policy drop)"]


def test_tracing_needs_a_permission(lab: Lab, nftconform: Run) -> None:
    done = nftconform("run", "--kubeconfig", str(lab.kubeconfig), "--evidence", "trace", "--node-access", "kube-proxy")
    assert done.returncode == 3
    assert "Permit them with --node-access privileged." in done.stderr
