"""A live run loses its cluster, wholly or in part: it goes on where it can, and ends in any case with a report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.arrange.waits import Wait, converge
from conformance.cluster.connection import connect
from conformance.lab.launch.start import Lab, environment
from conformance.model.cell import Cell
from conformance.model.result import Result
from conformance.model.verdict import Status
from conformance.results.codec import parse
from fixtures.batches import Answers
from fixtures.catalogue import areas
from fixtures.ground import ground
from fixtures.held import Asked
from fixtures.planning import planned
from fixtures.settings import Choice, settle
from fixtures.turns import Turns
from tests.cluster.cable import Cable
from tests.run.conftest import Run
from tests.run.test_on_a_lab import cells, namespaces

STILL, STORY = ("--case", "CIP-01"), ("--case", "CTK-01")
SAMPLED_IN_PART = "CIP-04"
"""Half of its cells are asked in the first step."""
BACK = Wait("nodes to be heard of again", 60, 0.2)
NO_PACKET = """table inet gone {
  chain arriving { type filter hook prerouting priority -500; policy drop; }
  chain leaving { type filter hook output priority -500; policy drop; }
}"""


@pytest.fixture
def cable(lab: Lab) -> Iterator[Cable]:
    with Cable(lab.kubeconfig) as cable:
        yield cable


@contextmanager
def running(folder: Path, *arguments: str, group: bool = False) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-m", "conformance.cli", "run", "--output", str(folder), *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        cwd=folder,
        bufsize=1,
        start_new_session=group,
    ) as process:
        yield process
        process.kill()


def until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout
    for line in process.stdout:
        if line.startswith(words):
            return
    raise AssertionError(f"it never said {words}")


def test_an_api_server_that_restarts_costs_a_run_nothing_but_time(lab: Lab, cable: Cable, tmp_path: Path) -> None:
    before = namespaces(lab)
    kubeconfig = cable.kubeconfig(tmp_path / "config")
    with running(tmp_path, "--kubeconfig", str(kubeconfig), *STILL, *STORY) as process:
        until(process, "cases: arranging")
        cable.close()
        back = threading.Timer(2.0, cable.mend)
        back.start()
        said, _ = process.communicate(timeout=120)
        back.join()
        assert process.returncode == 0, said
    assert set(cells(tmp_path / "junit.xml").values()) == {"passed"}
    assert namespaces(lab) == before


def test_an_api_server_that_is_gone_for_good_leaves_unknown_cells_and_word_of_what_is_left(
    lab: Lab, cable: Cable, nftconform: Run, tmp_path: Path
) -> None:
    before = namespaces(lab)
    kubeconfig = cable.kubeconfig(tmp_path / "config")
    options = ("--case", SAMPLED_IN_PART, *STORY, "--outage", "0.5")
    with running(tmp_path, "--kubeconfig", str(kubeconfig), *options) as process:
        until(process, "cases, step 2: arranging")
        cable.close()
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 2, said
    assert "Traceback" not in said
    seen = cells(tmp_path / "junit.xml")
    assert {(i.split(".")[2], how) for i, how in seen.items() if i.startswith("CTK")} == {
        ("before", "passed"),
        ("after", "error"),
    }
    still = Counter(how for i, how in seen.items() if i.startswith("CIP"))
    assert still == {"passed": 2, "error": 2}, "all but a sample were to be asked in the second step"
    left = namespaces(lab) - before
    assert len(left) == 2
    line = next(line for line in said.splitlines() if "may be left in the cluster" in line)
    assert all(name in line for name in (*left, "connection refused", "nftconform cleanup --older-than 0"))
    assert nftconform("cleanup", "--kubeconfig", str(lab.kubeconfig), "--older-than", "0").returncode == 0
    assert namespaces(lab) == before


@contextmanager
def node_gone(lab: Lab, node: str) -> Iterator[None]:
    """No packet goes in or out any more, as where a machine has lost its power."""
    here = (sys.executable, "-m", "conformance.cli", "lab", "exec", "--dir", str(lab.directory), node, "--", "nft")
    subprocess.run([*here, NO_PACKET], check=True, env=environment())
    try:
        yield
    finally:
        subprocess.run([*here, "delete table inet gone"], check=True, env=environment())
        cluster = connect(lab.kubeconfig)
        converge(BACK, lambda: cluster.objects("Node"), lambda nodes: ", ".join(_silent(nodes)))
        cluster.close()


def _silent(nodes: list[dict[str, Any]]) -> list[str]:
    return [
        n["metadata"]["name"]
        for n in nodes
        if ("Ready", "True") not in {(c["type"], c["status"]) for c in n["status"]["conditions"]}
    ]


def test_a_node_that_is_gone_leaves_the_cells_that_need_it_unknown_by_its_name_and_no_others(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = namespaces(lab)
    monkeypatch.setattr("conformance.probe.session.PULSE", 3.0)
    cases = ("CIP-01.ipv4-tcp", "CIP-01.ipv6-udp", "CIP-04.ipv4-tcp", "CIP-04.ipv6-udp", "CIP-23.ipv4-tcp")
    settings = settle(Choice(str(lab.kubeconfig), cases=cases, output_folder=str(tmp_path), outage=1.0))
    every = [p for a in areas() for p in planned(settings, a.name, a.cases, a.matrices) if isinstance(p, Cell)]
    found: dict[str, Asked] = {}
    with ground(settings, every, lambda _: None, pytest.fail) as there:
        answers = Answers(there, every, lambda _: None, lambda _: None, Turns(tmp_path).turn)
        with node_gone(lab, "node-b"):
            for cell in every:
                answer = answers.of(cell)
                assert isinstance(answer, Asked)
                found[cell.id] = answer
    needing = {c.id for c in every if "b" in {c.client.role, c.destination.role, *(b.role for b in c.service.backends)}}
    assert needing
    assert needing < found.keys()
    assert {i: one.verdict.status for i, one in found.items()} == {
        i: Status.UNKNOWN if i in needing else Status.PASSED for i in found
    }
    assert all("node-b" in found[i].verdict.message for i in needing)
    assert namespaces(lab) == before


def spooled(folder: Path) -> set[str]:
    """What workers have written down so far."""
    paths = folder.glob(".results-*/gw*.jsonl")
    lines = (line for path in paths for line in path.read_text().splitlines(keepends=True))
    told = (parse(line) for line in lines if line.endswith("\n"))
    return {one.id for one in told if isinstance(one, Result)}


def test_ctrl_c_keeps_what_workers_have_dialled_and_an_impatient_second_one_cuts_nothing(
    lab: Lab, tmp_path: Path
) -> None:
    before = namespaces(lab)
    arguments = ("--kubeconfig", str(lab.kubeconfig), "-n", "2", *STILL, *STORY, "--case", "AFF-01")
    with running(tmp_path, *arguments, group=True) as process:
        dialled = converge(
            Wait("dials", 120, 0.05), lambda: spooled(tmp_path), lambda ids: "" if len(ids) > 3 else "few"
        )
        os.killpg(process.pid, signal.SIGINT)
        again = threading.Timer(0.3, os.killpg, (process.pid, signal.SIGINT))
        again.start()
        said, _ = process.communicate(timeout=120)
        again.join()
    assert process.returncode == 2, said
    assert "Traceback" not in said
    assert "xception" not in said
    seen = cells(tmp_path / "junit.xml")
    assert {seen[i] for i in dialled} == {"passed"}
    assert namespaces(lab) == before
