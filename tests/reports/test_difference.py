"""The comparison of two runs as people, step summaries and machines read it, by the command they type."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cli.diff import diff
from conformance.cli.history import history
from conformance.cli.report import report
from conformance.errors import UsageError
from conformance.model.cluster import ProxyMode
from conformance.model.facts import Fact, Facts
from conformance.model.verdict import Status
from conformance.results.codec import dump
from conformance.results.run import Run
from tests.reports.runs import HEADER, a_result, a_run, an_account

HOSTILE = "\x1b[31m|<script>alert(1)</script> `![x](y)` @all\n# head"


def written(path: Path, run: Run) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{dump(line)}\n" for line in run.lines))
    return str(path)


def runs(folder: Path) -> tuple[str, str]:
    """iptables before, nftables after: one cell fails by now, one differs as documented, one is as before."""
    old, new = (
        replace(a_result(2, Status.PASSED, account=replace(an_account(), due=due)), destination="nodePort-loopback")
        for due in ("answered by web-a", "refused by RST")
    )
    was, now = a_result(1, Status.PASSED), a_result(1, Status.FAILED, message=HOSTILE, account=an_account())
    same = a_result(3, Status.PASSED)
    before, after = (
        replace(HEADER, facts=Facts(proxy_mode=Fact(mode, "x"))) for mode in (ProxyMode.IPTABLES, ProxyMode.NFTABLES)
    )
    return (
        written(folder / "before.jsonl", a_run([old, was, same], header=before)),
        written(folder / "after.jsonl", a_run([new, now, same], header=after)),
    )


def said(*arguments: str) -> Result:
    return CliRunner().invoke(diff, arguments, standalone_mode=False, catch_exceptions=False)


def test_without_a_gate_it_only_tells(tmp_path: Path) -> None:
    done = said(*runs(tmp_path))
    assert not done.return_value
    text = done.output
    assert text.startswith("before  iptables, version unknown, 2026-11-22T00:00:00+00:00: conformant, 3 cells.\n")
    assert "Newly failing: 1\n  NP-01  1 cell  MUST  A promise.\n      1x passed -> failed: \\x1b[31m|<script>" in text
    assert "Changed as documented: 1\n  nodeport-localhost  1 cell  In nftables mode (and ipvs mode)" in text
    assert "passed: answered by web-a -> passed: refused by RST" in text
    assert "not to be seen in a run: Linux kernels prior to 6.1" in text
    assert "1 cells are as before" in text
    assert "\x1b" not in text


def test_the_gate_stays_shut_or_opens_by_policy(tmp_path: Path) -> None:
    before, after = runs(tmp_path)
    done = said(before, after, "--gate")
    assert done.return_value == 1
    assert done.output.endswith("blocking: 1 cells: 1 of NP-01 (newly-failing)\nthe gate stays shut\n")
    policy = tmp_path / "gate.toml"
    policy.write_text('[[accept]]\ncells = ["NP-01"]\nreason = "r"\nuntil = 2999-01-01\n')
    done = said(before, after, "--gate", str(policy))
    assert done.return_value == 0
    assert done.output.endswith("accepted: 1 cells that would block\nthe gate opens\n")
    policy.write_text('[[accept]]\ndifference = "nodeport-localhost"\nreason = "r"\nuntil = 2000-01-01\n')
    done = said(before, before, "--gate", str(policy))
    assert (done.return_value, "nothing of it is there any more" in done.output) == (0, True)
    done = said(before, after, "--gate", str(policy))
    assert "accepted until 2000-01-01 only, and blocks since: nodeport-localhost (r)" in done.output
    with pytest.raises(UsageError, match="cannot be read"):
        said(before, after, "--gate", str(tmp_path / "none"))


def test_markdown_shows_hostile_text_as_text(tmp_path: Path) -> None:
    page = said(*runs(tmp_path), "--format", "markdown", "--gate").output
    assert page.startswith("# nftconform: what changed: the gate stays shut\n")
    assert "<script>" not in page
    assert "@all" not in page
    assert "![x]" not in page
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {3, 6}


def test_json_has_every_change(tmp_path: Path) -> None:
    out = tmp_path / "diff.json"
    done = said(*runs(tmp_path), "--format", "json", "--gate", "--output", str(out))
    assert (done.return_value, done.output) == (1, "")
    plain = json.loads(out.read_text())
    assert [(one["id"], one["kind"], one["difference"]) for one in plain["changes"]] == [
        ("NP-01.ipv4-tcp", "newly-failing", None),
        ("NP-02.ipv4-tcp", "documented", "nodeport-localhost"),
    ]
    assert (plain["counts"]["newly-failing"], plain["same"]) == (1, 1)
    assert plain["gate"]["blocking"] == ["NP-01.ipv4-tcp"]


@pytest.mark.parametrize("name", ["junit", "markdown", "summary"])
def test_every_report_is_made_of_a_truncated_and_hostile_file(tmp_path: Path, name: str) -> None:
    results = [
        replace(
            a_result(n, status, area=HOSTILE, message=HOSTILE, account=an_account(HOSTILE)),
            id=f"../../{n}{HOSTILE}",
            promise=HOSTILE,
            evidence="../../etc/passwd",
            objects=("none",),
        )
        for n, status in enumerate(Status)
    ]
    whole = a_run(results)
    path = written(tmp_path / "in" / "r.jsonl", Run(whole.header, whole.facts, whole.results))
    done = CliRunner().invoke(report, [path, "--format", name, "--output", str(tmp_path / "out" / "x")])
    assert done.exit_code == 0, done.output
    assert "truncated" in done.stderr
    text = (tmp_path / "out" / "x").read_text()
    assert "truncated" in text
    assert "\x1b" not in text
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["in", "out", "r.jsonl", "x"]
    if name == "markdown":
        outside = "".join(text.split("```")[::2])
        assert "<script>" not in outside


def test_a_format_that_there_is_not_gets_one_sentence(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", a_run([]))
    with pytest.raises(UsageError, match=r"no format pdf\. Name one of junit, html, markdown, summary"):
        CliRunner().invoke(report, [path, "--format", "pdf"], standalone_mode=False, catch_exceptions=False)


def test_history_names_files_that_are_truncated_or_hold_none(tmp_path: Path) -> None:
    for day, status in enumerate((Status.PASSED, Status.FAILED)):
        header = replace(HEADER, started=f"2026-11-2{day}T00:00:00+00:00")
        written(tmp_path / f"night-{day}" / "results.jsonl", a_run([a_result(1, status)], header=header))
    whole = a_run([a_result(1, Status.FAILED)], header=replace(HEADER, started="2026-11-22T00:00:00+00:00"))
    written(tmp_path / "cut.jsonl", Run(whole.header, whole.facts, whole.results))
    (tmp_path / "other.jsonl").write_text("{}\n")
    done = CliRunner().invoke(history, [str(tmp_path)], standalone_mode=False, catch_exceptions=False)
    assert "NP-01  failing  .FF" in done.output
    assert "2026-11-21\n" in done.output
    assert "cut.jsonl: The file is truncated: it has 1 cells and no footer." in " ".join(done.output.split("\n"))
    assert "other.jsonl holds no results: line 1" in done.output
    assert "3 runs, 2026-11-20T00:00:00+00:00 to 2026-11-22T00:00:00+00:00: 0 of 1 cases are well" in " ".join(
        done.output.split()
    )
    plain = json.loads(CliRunner().invoke(history, [str(tmp_path), "--json"], standalone_mode=False).output)
    assert plain["cases"][0]["marks"] == ".FF"
    assert len(plain["troubles"]) == 2
    with pytest.raises(UsageError, match="is no folder"):
        CliRunner().invoke(history, [str(tmp_path / "x")], standalone_mode=False, catch_exceptions=False)
