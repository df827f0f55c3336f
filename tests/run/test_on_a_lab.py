"""The command against a lab, as a user runs it: it passes when all is well, and fails by name when something is not."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from junitparser import JUnitXml

from conformance.cluster.connection import connect
from conformance.lab.launch.start import Lab, environment
from conformance.model.effort import Phase
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case
from fixtures.catalogue import areas
from fixtures.dealing import step_of, steps_of
from reports.results_file import load
from tests.run.conftest import Run


def cells(path: Path) -> dict[str, str]:
    """Cell ID -> how JUnit shows it."""
    return {
        case.name: type(case.result[0]).__name__.lower() if case.result else "passed"
        for suite in JUnitXml.fromfile(str(path))
        for case in suite
    }


def namespaces(lab: Lab) -> set[str]:
    cluster = connect(lab.kubeconfig)
    try:
        live = [n for n in cluster.objects("Namespace") if n["status"].get("phase") != "Terminating"]
        return {n["metadata"]["name"] for n in live}
    finally:
        cluster.close()


def outside(lab: Lab) -> list[str]:
    prefix = f"{sys.executable} -m conformance.cli lab exec --dir {lab.directory}"
    sites = (("x1", "node-a"), ("x2", "node-c"))
    return [word for name, node in sites for word in ("--external", f"{name}@{node}=exec:{prefix} {name} --")]


def node_exec(lab: Lab, node: str, *words: str) -> str:
    here = (sys.executable, "-m", "conformance.cli", "lab", "exec", "--dir", str(lab.directory), node, "--")
    return subprocess.run([*here, *words], check=True, env=environment(), stdout=subprocess.PIPE, text=True).stdout


NEIGHBOURS = "\n".join(
    f"chain {hook}{number} {{ type filter hook {hook} priority {priority}; {rules}; }}"
    for hook in ("prerouting", "forward", "output", "postrouting")
    for number, (priority, rules) in enumerate(
        ((-151, "counter meta mark set meta mark | 0x10000"), (-109, "accept"), (-1, "counter"), (1, "counter accept"))
    )
)
"""Chains of others that count, mark and accept, before and after each of kube-proxy's."""


@pytest.fixture
def neighbours(lab: Lab) -> Iterator[None]:
    node_exec(lab, "node-c", "nft", f"table inet neighbours {{\n{NEIGHBOURS}\n}}")
    yield
    node_exec(lab, "node-c", "nft", "delete", "table", "inet", "neighbours")


@pytest.mark.usefixtures("neighbours")
def test_promises_hold_side_by_side_in_two_processes_beside_others_and_nothing_is_left(
    lab: Lab, nftconform: Run, tmp_path: Path
) -> None:
    before = namespaces(lab)
    ids = ("CIP-01", "NP-01", "ETP-03", "LB-05", "EIP-05", "AFF-01", "NEP-01", "ITP-02", "IPL-01", "IPL-02")
    chosen = [word for i in ids for word in ("--case", i)]
    kubeconfig = ("--kubeconfig", str(lab.kubeconfig))
    done = nftconform("run", *kubeconfig, *outside(lab), *chosen, "-n", "2", "--output", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "conformant: 40 cells judged" in done.stdout
    seen = cells(tmp_path / "junit.xml")
    assert {c.split(".")[0] for c in seen} == set(ids)
    assert set(seen.values()) == {"passed"}
    assert "gw0: cases: dialling" in done.stdout, "progress of every process is shown"
    run = load(tmp_path / "results.jsonl")
    assert ({one.id for one in run.results}, run.troubles, run.missing) == (set(seen), (), 0)
    assert run.facts.local_addresses.known, "what the run's own pods have learned"
    assert run.footer
    effort = run.footer.effort
    assert effort.processes == 3, "two workers and who gave them their work"
    assert {Phase.FACTS, Phase.PLAN, Phase.PODS, Phase.CONVERGE, Phase.DIAL, Phase.JUDGE} <= effort.phases.keys()
    assert effort.dials >= sum(one.timing.dials for one in run.results) > 0
    assert effort.streams >= 6
    assert effort.requests > 100
    assert "What the run has cost" in (tmp_path / "report.html").read_text()
    assert all(one.account and one.objects and set(one.objects) <= run.objects.keys() for one in run.results)
    assert "lab exec" not in (tmp_path / "results.jsonl").read_text(), "arguments of commands are nobody's business"
    later = nftconform("report", str(tmp_path / "results.jsonl"), "--format", "junit")
    assert later.stdout == (tmp_path / "junit.xml").read_text()
    later = nftconform("report", str(tmp_path / "results.jsonl"), "--format", "html")
    assert later.stdout == (tmp_path / "report.html").read_text()
    assert namespaces(lab) == before


def test_without_an_outside_a_run_is_partial_and_says_what_it_could_not_see(
    lab: Lab, nftconform: Run, tmp_path: Path
) -> None:
    kubeconfig = ("--kubeconfig", str(lab.kubeconfig))
    done = nftconform("run", *kubeconfig, "--case", "CIP-08.ipv4-tcp", "--output", str(tmp_path))
    assert done.returncode == 2
    assert "needs a client outside the cluster" in done.stdout
    assert cells(tmp_path / "junit.xml") == {"CIP-08.ipv4-tcp": "skipped"}


@pytest.fixture
def no_hairpin(lab: Lab) -> Iterator[None]:
    """Node a's IPv4 table without its masquerading rules: an endpoint's own packets come back with its own address."""

    def nft(*words: str) -> str:
        return node_exec(lab, "node-a", "nft", *words)

    chain = ("chain", "ip", "kube-proxy", "masquerading")
    healthy = nft("list", *chain)
    nft("flush", *chain)
    yield
    nft(healthy)  # the next test's node is whole
    assert nft("list", *chain) == healthy


@pytest.mark.usefixtures("no_hairpin")
def test_a_broken_node_fails_the_promise_that_it_breaks_and_no_other(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    kubeconfig = ("--kubeconfig", str(lab.kubeconfig))
    done = nftconform("run", *kubeconfig, "--case", "CIP-04", "--case", "CIP-05", "--output", str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    seen = cells(tmp_path / "junit.xml")
    assert {c for c, how in seen.items() if how == "failure"} == {"CIP-04.ipv4-tcp", "CIP-04.ipv4-udp"}
    assert {how for c, how in seen.items() if c not in {"CIP-04.ipv4-tcp", "CIP-04.ipv4-udp"}} == {"passed"}
    assert "again alone 5" in done.stdout
    assert "controls  before ok, after ok" in done.stdout
    run = load(tmp_path / "results.jsonl")
    failed = next(one for one in run.results if one.status is Status.FAILED)
    (name,) = failed.objects
    service, *slices = run.objects[name].objects
    assert (service["kind"], service["metadata"]["name"]) == ("Service", "cip-web-a")
    assert {one["kind"] for one in slices} == {"EndpointSlice"}


def test_ctrl_c_cleans_up_and_writes_down_what_was_done(lab: Lab, tmp_path: Path) -> None:
    before, cases = namespaces(lab), ("AFF-01", "AFF-02", "CTK-01")
    every = [c for a in areas() for case in a.cases if case.id in cases for c in cells_of_case(case, a.name)]
    first = {c.id for c in every if step_of(c, steps_of(every)) == 0}
    running = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "conformance.cli",
            "run",
            "--kubeconfig",
            str(lab.kubeconfig),
            "--output",
            str(tmp_path),
            *(word for case in cases for word in ("--case", case)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        cwd=tmp_path,
        bufsize=1,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("cases, step 2: arranging"):
            break
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=60)
    assert running.returncode == 2, rest
    assert "partial: " in rest
    assert "Traceback" not in rest
    seen = cells(tmp_path / "junit.xml")
    assert {c for c, how in seen.items() if how == "passed"} == first
    assert {c.split(".")[0] for c in first} == {"AFF-02", "CTK-01"}, "of what stands still and of what changes"
    run = load(tmp_path / "results.jsonl")
    assert run.footer
    assert (run.footer.complete, run.footer.exit_code, {one.id for one in run.results}) == (False, 2, set(seen))
    assert namespaces(lab) == before


def test_plan_lists_and_creates_nothing(lab: Lab, nftconform: Run) -> None:
    before = namespaces(lab)
    done = nftconform("plan", "--kubeconfig", str(lab.kubeconfig), "--case", "ETP-03", "--cells")
    assert done.returncode == 0, done.stderr
    assert "ETP-03.ipv6-udp" in done.stdout
    assert "needs a client outside the cluster" in done.stdout
    assert namespaces(lab) == before


def test_what_a_killed_run_left_is_taken_away(lab: Lab, nftconform: Run, tmp_path: Path) -> None:
    before = namespaces(lab)
    running = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "conformance.cli", "run", "--kubeconfig", str(lab.kubeconfig)),
            *("--case", "API-01", "--case", "CIP-01"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=tmp_path,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("cases: dialling"):
            break
    running.kill()
    running.communicate(timeout=60)
    run = load(tmp_path / "reports" / "out" / "results.jsonl")
    assert run.footer is None
    assert {one.area for one in run.results} >= {"api"}, "what was judged by then is kept"
    left = namespaces(lab) - before
    assert len(left) == 2
    young = nftconform("cleanup", "--kubeconfig", str(lab.kubeconfig))
    assert young.stdout.startswith("removed 0 namespaces\nleft 2 of runs younger than 60 minutes")
    done = nftconform("cleanup", "--kubeconfig", str(lab.kubeconfig), "--older-than", "0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("removed 2 namespaces: ")
    assert namespaces(lab) == before
