"""The evidence of failing cells as files, by names of our own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conformance.model.verdict import Status
from conformance.results.lines import Objects
from reports.evidence import folder_of, write
from reports.files import EVIDENCE, forget
from tests.reports.hostile import HOSTILE, a_run_of
from tests.reports.runs import a_result, a_run, an_account, an_evidence


def test_a_folder_says_all_that_was_gathered(tmp_path: Path) -> None:
    one = replace(a_result(1, Status.FAILED, account=an_account()), objects=("o",))
    service = {"kind": "Service", "metadata": {"name": "web"}}
    run = replace(a_run([one]), objects={"o": Objects("o", (service,))}, evidence={one.id: an_evidence(one.id)})
    write(tmp_path, run)
    folder = tmp_path / "evidence" / "NP-01.ipv4-tcp"
    files = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(files) == {"service.yaml", "endpoints.txt", "node-b.txt", "way.txt"}
    assert yaml.safe_load(files["service.yaml"]) == service
    assert files["endpoints.txt"] == "pod-w on w: ready, w\n"
    assert files["node-b.txt"].splitlines()[:3] == ["# node-w", "# not read: unread w", "rule w"]
    assert files["way.txt"].endswith(
        "node-w: 10.0.0.1:40 → w:80\n"
        "  comes by at prerouting (iif w)\n"
        "  ip kube-proxy nat-prerouting\n"
        "    services: ip daddr w goto x\n"
        "    x: dnat to w  -> accept\n"
        "  * destination is now 10.0.0.2:81\n"
        "  inet wall w  <== here it diverged\n"
        "    w: policy drop\n"
    )
    forget(tmp_path)
    assert not folder.exists(), "an earlier run's evidence is none of this one's"


def test_nodes_without_a_role_have_a_file_each(tmp_path: Path) -> None:
    one, found = a_result(1, Status.FAILED, account=an_account()), an_evidence("NP-01.ipv4-tcp")
    nodes = tuple(replace(found.nodes[0], node=name, role="") for name in ("node-v", "node-w"))
    write(tmp_path, replace(a_run([one]), evidence={one.id: replace(found, nodes=nodes)}))
    files = [path.read_text().splitlines()[0] for path in sorted(tmp_path.rglob("node-*.txt"))]
    assert files == ["# node-v", "# node-w"]


def test_what_a_cluster_says_names_no_file(tmp_path: Path) -> None:
    output = tmp_path / "out"
    write(output, a_run_of(f"../../{HOSTILE}"))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    for path in output.rglob("*.txt"):
        assert "\x1b" not in path.read_text()
    assert len(list(output.rglob("way.txt"))) == len(Status)


@given(st.text())
def test_a_folder_is_one_step_below(identity: str) -> None:
    first, second = folder_of(f"NP-{identity}").split("/")
    assert first == EVIDENCE
    assert second not in {"", ".", ".."}


@pytest.mark.parametrize("identity", ["NPM.np-0.nodePort-a.pod-b.ipv4-tcp", "ETP-03.ipv4-tcp"])
def test_a_cells_own_id_is_the_name(identity: str) -> None:
    assert folder_of(identity) == f"evidence/{identity}"
