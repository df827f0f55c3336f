"""The oracle against what a real kube-proxy 1.36.2 did, in both modes."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from conformance.cli.recorded import observation
from conformance.cli.scenario import Scenario, read_scenario
from conformance.judge import judge
from conformance.model.addresses import Family
from conformance.model.outcome import Unspecified
from conformance.model.verdict import Status
from conformance.oracle import expect, expect_health_check

DATA = Path(__file__).parents[1] / "data" / "groundtruth"
MODES = ("nftables", "iptables")


def unpacked(mode: str, into: Path) -> Path:
    """The recorded scenario as the folder that a user would have."""
    for packed in (DATA / mode).glob("*.gz"):
        (into / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    return into


@pytest.fixture(scope="module", params=MODES)
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return read_scenario(unpacked(request.param, tmp_path_factory.mktemp(request.param)))


def test_agrees_with_every_recorded_cell(scenario: Scenario) -> None:
    verdicts = []
    for cell in scenario.cells:
        expectation = expect(scenario.state, cell.client, cell.destination)
        verdicts.append(judge(expectation, observation(cell, expectation, scenario.names)))
    count = Counter(v.status for v in verdicts)
    assert [v.message for v in verdicts if v.status not in {Status.PASSED, Status.RECORDED}] == []
    assert count[Status.RECORDED] <= 0.03 * len(scenario.cells)
    assert len(scenario.cells) == 5587


def test_every_expectation_is_argued(scenario: Scenario) -> None:
    for cell in scenario.cells[::7]:
        expectation = expect(scenario.state, cell.client, cell.destination)
        assert expectation.reasons
        assert all(r.text and r.source.text for r in expectation.reasons)
        if isinstance(expectation.outcome, Unspecified):
            assert expectation.outcome.reason


def test_the_rules_of_another_mode_do_not_fit(tmp_path: Path) -> None:
    """The check can fail: told that the iptables recording is of nftables mode, it finds the known differences."""
    folder = unpacked("iptables", tmp_path)
    topology = json.loads((folder / "topology.json").read_text())
    topology["kubeProxy"]["mode"] = "nftables"
    (folder / "topology.json").write_text(json.dumps(topology))
    wrong = read_scenario(folder)
    kinds = set()
    for cell in wrong.cells:
        expectation = expect(wrong.state, cell.client, cell.destination)
        if judge(expectation, observation(cell, expectation, wrong.names)).status is Status.FAILED:
            kinds.add(cell.destination.kind.value)
    assert {"clusterIP-badport", "nodePort-secondary", "nodePort-loopback"} <= kinds


@pytest.mark.parametrize("mode", MODES)
def test_health_checks(mode: str, tmp_path: Path) -> None:
    state = read_scenario(unpacked(mode, tmp_path)).state
    recorded = json.loads((tmp_path / "healthchecks.json").read_text())
    assert recorded
    for key, answer in recorded.items():
        name, _, node = key.partition("@")
        expected = expect_health_check(state, state.services[f"default/{name}"], state.nodes[node], Family.IPV4)
        head, _, body = answer.partition("\n\n")
        assert expected is not None
        assert head.startswith(f"HTTP/1.1 {expected.status} ")
        assert f"X-Load-Balancing-Endpoint-Weight: {expected.local_endpoints}" in head
        assert json.loads(body)["localEndpoints"] == expected.local_endpoints
