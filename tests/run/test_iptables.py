"""The same promises on a lab whose kube-proxies run in iptables mode, without root, and after it changed its mode."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.lab.launch.directory import Directory
from conformance.lab.launch.start import Lab, launch
from conformance.model.cluster import ProxyMode
from reports.results_file import load
from tests.run.conftest import Run
from tests.run.test_on_a_lab import cells, outside

PROMISES = ("CIP-01", "NP-01", "ETP-03", "LB-05", "AFF-01")
OF_NFTABLES = "NOD-01"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    directory = Directory(tmp_path_factory.mktemp("iptables") / "lab")
    started = launch(directory, user_namespace=True, proxy_mode=ProxyMode.IPTABLES)
    yield started
    started.stop()


def test_promises_hold_in_both_modes(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    asked = [word for case in (*PROMISES, OF_NFTABLES) for word in ("--case", case)]
    command = ("run", "--kubeconfig", str(lab.kubeconfig), *outside(lab), *asked, "--output", str(tmp_path))
    done = nftconform(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = cells(tmp_path / "junit.xml")
    assert {i.split(".")[0] for i, how in seen.items() if how == "passed"} == set(PROMISES)
    assert {how for i, how in seen.items() if i.startswith(OF_NFTABLES)} == {"skipped"}
    report = (tmp_path / "junit.xml").read_text()
    assert "a promise of nftables mode; this cluster's kube-proxy is in iptables mode" in report
    folder = ("--dir", str(lab.directory))
    rules = nftconform("lab", "exec", *folder, "node-b", "nft", "list", "tables").stdout
    assert ("table ip nat" in rules, "kube-proxy" in rules) == (True, False)

    switch = (sys.executable, "-m", "conformance.cli", "lab", "proxy-mode", *folder)
    watching = ("watch", *command[1:3], "--node-access", "kube-proxy", "--every", "0.2", "--after", "4", "--json")
    watched = nftconform(*watching, "--", *switch, "nftables")
    seen = json.loads(watched.stdout)
    # Between two modes a flow may be refused and end for good (docs/live.md); whatever begins later is served.
    lost = [one for one in seen["outages"] if not one["back"]]
    assert all(one["broken"] for one in lost), watched.stdout
    assert watched.returncode == bool(lost), watched.stdout + watched.stderr
    assert (set(seen["before"].values()), set(seen["after"].values())) == ({"iptables"}, {"nftables"})
    assert {one["trouble"] for one in seen["outages"]} == {""}
    assert {one["lane"].rsplit(", ")[-1] for one in seen["outages"]} == {"new", "flow"}
    assert "already in nftables mode" in nftconform("lab", "proxy-mode", *folder, "nftables").stdout
    done = nftconform(*command, "--case", "CIP-01", "-k", "CIP-01")
    assert done.returncode == 0, done.stdout + done.stderr
    chains = nftconform("lab", "exec", *folder, "node-b", "nft", "list", "ruleset").stdout
    assert ("table ip kube-proxy" in chains, "KUBE-SVC" in chains) == (True, False)

    assert (
        "node-b is now in iptables mode"
        in nftconform("lab", "proxy-mode", *folder, "--node", "node-b", "iptables").stdout
    )
    done = nftconform(*command, "--case", "NPS", "-k", "CIP-01 or ETP-03 or np-web-a-web-b")
    assert "failed" not in done.stdout, done.stdout + done.stderr
    ends = {(identity.split(".")[0], how) for identity, how in cells(tmp_path / "junit.xml").items()}
    assert ends == {("CIP-01", "passed"), ("ETP-03", "passed"), ("NPS", "skipped")}
    assert set(load(tmp_path / "results.jsonl").facts.modes().values()) == {ProxyMode.NFTABLES, ProxyMode.IPTABLES}


@pytest.mark.parametrize("arguments", [("run", "--proxy-mode", "iptables"), ("run", "--lab", "--proxy-mode", "ipvs")])
def test_a_mode_that_cannot_be_had(nftconform: Run, arguments: tuple[str, ...]) -> None:
    done = nftconform(*arguments)
    assert done.returncode == 3
    assert "--proxy-mode" in done.stderr
