"""Evidence of failures on a lab: what lacked, who dropped, and nothing left on any node."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.lab.launch.start import Lab, environment
from reports.results_file import load
from tests.run.conftest import Run

FIREWALL = """\
table inet firewall {
  chain early {
    type filter hook prerouting priority -150; policy drop;
    meta nfproto ipv4 accept
    meta l4proto != udp accept
    udp dport != 30000-32767 accept
  }
}
"""


def on(lab: Lab, node: str, *command: str, text: str = "") -> str:
    here = (sys.executable, "-m", "conformance.cli", "lab", "exec", "--dir", str(lab.directory), node, "--", *command)
    done = subprocess.run(here, input=text, check=True, env=environment(), stdout=subprocess.PIPE, text=True)
    return done.stdout


@pytest.fixture
def wrong(lab: Lab, nftconform: Run) -> Iterator[str]:
    """A node whose rules have nothing of Services, and whose firewall drops UDP to its IPv6 node ports."""
    fault = ("lab", "fault", "on", "one-node-wrong", "--node", "node-b", "--dir", str(lab.directory))
    assert nftconform(*fault).returncode == 0
    on(lab, "node-b", "nft", "-f", "/dev/stdin", text=FIREWALL)
    yield "node-b"
    on(lab, "node-b", "nft", "delete", "table", "inet", "firewall")
    assert nftconform("lab", "fault", "off", "--dir", str(lab.directory)).returncode == 0


def test_what_lacks_and_who_dropped_are_named_and_the_way_is_kept(
    lab: Lab, nftconform: Run, tmp_path: Path, wrong: str
) -> None:
    where = ("--kubeconfig", str(lab.kubeconfig), "--node-access", "privileged", "--output", str(tmp_path))
    cases = ("--case", "NP-03.ipv4-tcp", "--case", "NP-03.ipv6-udp")
    done = nftconform("run", *where, *cases, "--patience", "3", "--trust", "0")
    assert done.returncode == 1, done.stdout + done.stderr
    run = load(tmp_path / "results.jsonl")
    lacking, dropped = run.results
    assert lacking.divergence.startswith(
        f"{wrong}: the packet left nat-prerouting untranslated: no element of service-nodeports matches tcp . "
    )
    assert dropped.divergence == f"{wrong}: dropped by inet firewall early (policy drop)"
    assert lacking.divergence in done.stdout
    for one, chain in ((lacking, "nat-prerouting"), (dropped, "early")):
        found = run.evidence[one.id]
        assert one.divergence == found.divergence.sentence
        way = found.ways[found.divergence.way]
        assert (way.node, way.passages[found.divergence.passage].chain) == (wrong, chain)
        assert {state.node: state.unread for state in found.nodes} == {"node-a": (), wrong: ()}
        assert any("goto external-" in line for state in found.nodes for line in state.rules if state.node == "node-a")
        assert [pod.ready for pod in found.pods] == [True]
        assert "<== here it diverged" in (tmp_path / "evidence" / one.id / "way.txt").read_text()
        assert one.evidence == f"evidence/{one.id}/", "from where it was started"
    for node in ("node-a", "node-b", "node-c"):
        assert "nftconform" not in on(lab, node, "nft", "list", "tables")


def test_tracing_needs_a_permission(lab: Lab, nftconform: Run) -> None:
    done = nftconform("run", "--kubeconfig", str(lab.kubeconfig), "--evidence", "trace", "--node-access", "kube-proxy")
    assert done.returncode == 3
    assert "Permit them with --node-access privileged." in done.stderr
