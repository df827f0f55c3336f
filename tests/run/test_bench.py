"""A bench of a lab: small, but with everything that is measured."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from conformance.arrange.cleanup import namespaces
from conformance.arrange.waits import GONE, converge
from conformance.cluster.connection import connect
from conformance.lab.launch.pausing import proxies_stopped
from conformance.lab.launch.start import Lab, environment
from conformance.measured.bench import Bench
from conformance.measured.lines import (
    KINDS,
    Change,
    Flow,
    Latency,
    Load,
    Metric,
    Overhead,
    Programmed,
    Restart,
    Seat,
    Under,
    Way,
    Weight,
)
from reports.bench_file import load
from tests.run.conftest import Run

SMALL = ("--rounds", "2", "--dials", "3", "--changes", "1", "--load", "0.2", "--seed", "5")
NODES = ("node-a", "node-b", "node-c")
WAYS = 2 * (len(Way) * 2 - 1)
"""Ways and protocols of both seats; a node's loopback is not dialled."""


@pytest.fixture(scope="module")
def bench(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("bench")
    done = subprocess.run(
        [*command(lab, folder), "--services", "3,6", "--disruptive", *SMALL],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "the kit's reference proxy, not kube-proxy" in " ".join(done.stdout.split())
    assert {path.name for path in folder.iterdir()} >= {"bench.html", "bench-latency.svg", "bench-programming.png"}
    return load(folder / "bench.jsonl")


def command(lab: Lab, folder: Path) -> list[str]:
    kubeconfig = ["--kubeconfig", str(lab.kubeconfig), "--output", str(folder)]
    return [sys.executable, "-P", "-m", "conformance.cli", "bench", *kubeconfig]


def test_everything_is_measured_at_every_rung(bench: Bench) -> None:
    assert bench.troubles == ()
    assert {type(line) for line in bench.lines} == set(KINDS.values()) - {type(bench.header), type(bench.footer)}
    dialled = Counter((one.services, one.seat, one.way, one.protocol) for one in bench.of(Latency))
    assert set(dialled.values()) == {2}
    assert len(dialled) == 2 * WAYS
    assert {(one.services, one.change) for one in bench.of(Programmed)} == {(n, c) for n in (3, 6) for c in Change}


def test_services_answer_whatever_goes_on(bench: Bench) -> None:
    for one in bench.of(Latency):
        assert (len(one.nanoseconds), one.lost) == (3, 0), one
    for load_ in bench.of(Load):
        assert load_.opened > 0
        assert (load_.refused, load_.lost) == (0, 0)
    for flow in bench.of(Flow):
        assert flow.answers > 0
        assert flow.ended == ""
    assert all(one.seconds is not None for one in bench.of(Programmed))


def test_a_restart_and_full_syncs_are_timed(bench: Bench) -> None:
    for one in bench.of(Restart):
        assert one.seconds
        assert one.full_syncs
    assert {flow.under for flow in bench.of(Flow)} == {Under.CHURN, Under.RESTART}


def test_the_proxy_is_weighed(bench: Bench) -> None:
    small, large = (next(w for w in bench.of(Weight) if w.services == n) for n in (3, 6))
    assert small.rules
    assert large.rules
    assert small.elements
    assert large.elements
    assert large.rules > small.rules
    assert large.elements > small.elements
    assert small.resident_bytes
    assert small.resident_bytes > 10 * 2**20
    assert small.cpu_seconds
    assert "kubeproxy_network_programming_duration_seconds" in {one.name for one in bench.of(Metric)}


def test_the_agent_tells_its_own_part(bench: Bench) -> None:
    found = {one.seat: one for one in bench.of(Overhead)}
    assert set(found) == set(Seat)
    for one in found.values():
        assert one.tcp
        assert one.udp
        assert min(one.clock) >= 0


def test_an_interrupt_cleans_up_and_keeps_what_was_measured(lab: Lab, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*command(lab, tmp_path), "--services", "2", "--rounds", "100000", *SMALL[2:]],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith("dialling"):
            break
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 2
    found = load(tmp_path / "bench.jsonl")
    assert found.troubles == ("Not everything was measured: interrupted.",)
    assert found.header.places[0].reference
    cluster = connect(lab.kubeconfig)
    converge(GONE, lambda: namespaces(cluster), lambda left: ", ".join(n["metadata"]["name"] for n in left))
    cluster.close()


def test_a_labs_proxies_stand_still_while_they_are_held_up(lab: Lab, nftconform: Run) -> None:
    page = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:10256/healthz', timeout=2).status)"

    def asked(node: str) -> str:
        return nftconform("lab", "exec", "--dir", str(lab.directory), node, "--", sys.executable, "-c", page).stdout

    with proxies_stopped(lab.directory):
        assert [asked(node) for node in NODES] == [""] * len(NODES)
    assert [asked(node).strip() for node in NODES] == ["200"] * len(NODES)


def test_a_mode_that_no_lab_has_is_refused(nftconform: Run) -> None:
    done = nftconform("bench", "--lab", "--modes", "nftables,ipvs")
    assert done.returncode == 3
    assert "No lab has kube-proxy in ipvs mode" in done.stderr
