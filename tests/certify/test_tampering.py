"""A report, or results, that somebody has touched: each way gets its own sentence, all of them at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.certify.verifying import compare, verify
from conformance.model.verdict import Status
from reports import conformance
from reports.results_file import weigh
from tests.certify.runs import KNOWN, but, report_on, run_of, written

NOW = datetime(2026, 12, 1, tzinfo=UTC)
FAILING = {"HCN-01": (Status.FAILED, ""), "HCN-02": (Status.FAILED, ""), "TOP-02": (Status.UNKNOWN, "")}


def complaints(content: bytes, results: Path | None = None) -> list[str]:
    reading = conformance.read(content)
    said = list(reading.complaints)
    if reading.report:
        said += verify(reading.report, KNOWN, NOW)
        if results:
            held = weigh(results)
            said += compare(reading.report, held.run, held.lines, held.sha256, KNOWN)
    return said


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results in which two cases of core fail, and one of extended is unknown."""
    return written(run_of(but(FAILING)), tmp_path_factory.mktemp("failing"))


@pytest.fixture(scope="module")
def untouched(failing: Path) -> dict[str, Any]:
    held = weigh(failing)
    read: dict[str, Any] = yaml.safe_load(conformance.document(report_on(held.run, held.sha256)))
    return read


@pytest.fixture
def report(untouched: dict[str, Any]) -> dict[str, Any]:
    """The report on them, as a mapping to tamper with."""
    return deepcopy(untouched)


def as_yaml(report: dict[str, Any]) -> bytes:
    return yaml.safe_dump(report, sort_keys=False).encode()


def test_untouched_it_has_none(report: dict[str, Any], failing: Path) -> None:
    assert [p["result"] for p in report["profiles"]] == ["failure", "partial", "success", "success"]
    assert complaints(as_yaml(report), failing) == []


Touch = Callable[[dict[str, Any]], object]


def core(report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = report["profiles"][0]
    return found


def upgraded(report: dict[str, Any]) -> None:
    """As a forger would who knows the rules: it agrees with itself, and only the results give it away."""
    del core(report)["failedCases"]
    core(report)["statistics"] |= {"passed": 7, "failed": 0}
    core(report)["result"] = "success"


ALONE: dict[str, tuple[Touch, str]] = {
    "a failed case dropped": (
        lambda r: core(r)["failedCases"].pop(),
        "Profile core counts 2 cases as failed and lists 1",
    ),
    "statistics altered": (lambda r: core(r)["statistics"].update(passed=8), "counts 8.* cases|counts 10 cases; kit"),
    "result upgraded": (
        lambda r: core(r).update(result="success"),
        "Profile core says success; its numbers come to failure",
    ),
    "partial upgraded": (
        lambda r: r["profiles"][1].update(result="success"),
        "Profile extended says success; its numbers come to partial",
    ),
    "a profile left out": (lambda r: r["profiles"].pop(0), "Profile core is missing"),
    "a profile told of twice": (
        lambda r: r["profiles"].__setitem__(1, deepcopy(r["profiles"][0])),
        "Profile core is told of 2 times",
    ),
    "a profile claimed without its cases": (
        lambda r: r["profiles"][2]["statistics"].update(passed=0),
        "kube-proxy-nftables says success; its numbers come to partial",
    ),
    "a profile claimed that was not run": (
        lambda r: r["run"].update(profile="core"),
        "Profile kube-proxy-nftables is none that a run with --profile core",
    ),
    "a success in another mode": (
        lambda r: r["cluster"].update(proxyMode="iptables"),
        "is a success, and the cluster's proxy mode is iptables",
    ),
    "an unknown case": (lambda r: core(r).update(failedCases=["HCN-01", "HCN-77"]), "lists HCN-77, which kit 0.1.0"),
    "another profile's case": (
        lambda r: core(r).update(failedCases=["HCN-01", "TOP-02"]),
        "lists TOP-02, which kit 0.1.0 does not have in it",
    ),
    "a case twice in a list": (
        lambda r: core(r).update(failedCases=["HCN-01", "HCN-01"]),
        "Profile core lists HCN-01 more than once",
    ),
    "a case in two lists": (
        lambda r: core(r).update(skippedCases=["HCN-01"]),
        "Profile core lists HCN-01 more than once",
    ),
    "another schema": (lambda r: r.update(apiVersion="nftconform/v2"), "apiVersion is nftconform/v2; this kit reads"),
    "no schema": (lambda r: r.pop("apiVersion"), "apiVersion is None; this kit reads"),
    "another kind": (lambda r: r.update(kind="Report"), r"schema at \$\.kind"),
    "a field more": (lambda r: r.update(approved=True), "'approved' was unexpected"),
    "a field more inside": (lambda r: core(r)["statistics"].update(waived=2), "'waived' was unexpected"),
    "a field less": (lambda r: r["implementation"].pop("contact"), "'contact' is a required property"),
    "a text for a number": (lambda r: core(r)["statistics"].update(passed="7"), "'7' is not of type 'integer'"),
    "half a case": (lambda r: core(r)["statistics"].update(passed=5.0), "report.profiles.*passed is no int"),
    "a date in the future": (
        lambda r: r.update(date="2031-01-01T00:00:00+00:00"),
        "The date of the report is in the future",
    ),
    "a date that is none": (
        lambda r: r.update(date="2026-13-01T00:00:00+00:00"),
        "The date of the report is no time",
    ),
    "made before it ended": (
        lambda r: r.update(date="2026-11-01T00:00:00+00:00"),
        "The end of 2026-11-22T00:01:00.00:00 is later than the report",
    ),
    "ended before it began": (
        lambda r: r["run"].update(ended="2026-11-01T00:00:00+00:00"),
        "The start of .* is later than the end",
    ),
    "a truncated run": (lambda r: r["run"].pop("ended"), "The run has no end: its results were truncated"),
    "another kit": (
        lambda r: r.update(kitVersion="9.9.9"),
        "of kit 9.9.9, which this kit does not know: it knows 0.1.0",
    ),
    "no address": (lambda r: r["implementation"].update(url="javascript:alert(1)"), r"\$\.implementation\.url"),
}


@pytest.mark.parametrize("way", ALONE)
def test_the_report_alone_gives_it_away(way: str, report: dict[str, Any]) -> None:
    touch, sentence = ALONE[way]
    touch(report)
    said = complaints(as_yaml(report))
    assert any(re.search(sentence, one) for one in said), said
    assert all(one.endswith(".") and "\n" not in one for one in said)


BESIDE: dict[str, tuple[Touch, str]] = {
    "a digest changed": (lambda r: r["run"].update(sha256="0" * 64), "have another digest than the report says"),
    "upgraded with care": (upgraded, "Profile core has other result than the results, which come to failure"),
    "another case failed": (
        lambda r: core(r).update(failedCases=["HCN-01", "HCN-03"]),
        "other failed cases than the results, which come to HCN-01, HCN-02",
    ),
    "another cluster": (
        lambda r: r["cluster"].update(kubernetesVersion="v1.37.0"),
        "cluster's kubernetes version is v1.37.0; the results say v1.36.2",
    ),
    "another day": (
        lambda r: r["run"].update(started="2026-11-21T00:00:00+00:00"),
        "run's started is 2026-11-21T00:00:00.00:00; the results say 2026-11-22",
    ),
    "other cells": (lambda r: r["run"].update(cells=9), "run's cells is 9; the results say 282"),
}


@pytest.mark.parametrize("way", BESIDE)
def test_the_results_give_it_away(way: str, report: dict[str, Any], failing: Path) -> None:
    touch, sentence = BESIDE[way]
    touch(report)
    if way != "another case failed":
        assert complaints(as_yaml(report)) == [], "alone it looks right"
    said = complaints(as_yaml(report), failing)
    assert any(re.search(sentence, one) for one in said), said


def dropped(lines: list[str]) -> list[str]:
    return [line for line in lines if '"id":"HCN-01.' not in line]


def passing_again(lines: list[str]) -> list[str]:
    """The failed cells once more, as passed, before the footer; the footer and its counts as they would then be."""
    cells = [json.loads(line) for line in lines if '"status":"failed"' in line]
    again = [{key: v for key, v in cell.items() if key != "mismatch"} | {"status": "passed"} for cell in cells]
    footer = json.loads(lines[-1]) | {"conclusion": "partial", "exit_code": 2}
    footer["counts"]["passed"] += footer["counts"].pop("failed")
    return [*lines[:-1], *(json.dumps(one, separators=(",", ":")) for one in again), json.dumps(footer)]


def renamed(lines: list[str]) -> list[str]:
    return [line.replace('"id":"HCN-03.', '"id":"HCN-03.ipv5-') for line in lines]


def swapped(lines: list[str]) -> list[str]:
    """A cell of a case is dropped, and another one twice there under another name."""
    first, second = [number for number, line in enumerate(lines) if '"id":"HCN-03.' in line][:2]
    found = re.search(r'"id":"([^"]+)"', lines[second])
    assert found
    return [
        line if number != first else lines[second].replace(found[1], "HCN-03.x") for number, line in enumerate(lines)
    ]


def stray(lines: list[str]) -> list[str]:
    """A cell of one case counts for another."""
    (number, *_) = [number for number, line in enumerate(lines) if '"id":"HCN-03.' in line]
    return [*lines[:number], lines[number].replace('"case":"HCN-03"', '"case":"HCN-04"'), *lines[number + 1 :]]


def lighter(lines: list[str]) -> list[str]:
    return [line.replace('"kit":"0.1.0"', '"kit":"0.0.9"') for line in lines]


RESULTS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "cut before the footer": (lambda lines: lines[:-1], "The results: The file is truncated: it has 282 cells"),
    "cut within": (lambda lines: lines[:100], "The results: The file is truncated: it has"),
    "failed cells dropped": (dropped, "The results: The footer counts other cells than there are"),
    "failed cells told again as passed": (passing_again, "have 29[0-9] lines, of which 284 count"),
    "cells renamed": (renamed, "cells that kit 0.1.0 does not have, of HCN-03"),
    "a cell replaced": (swapped, "cells that kit 0.1.0 does not have, of HCN-03"),
    "a cell of another case": (stray, "cells that kit 0.1.0 does not have, of HCN-04"),
    "another kit": (lighter, "The results are of kit 0.0.9, which this kit does not know"),
}


@pytest.mark.parametrize("way", RESULTS)
def test_results_that_were_touched_are_seen_even_if_the_report_is_made_of_them(
    way: str, failing: Path, tmp_path: Path
) -> None:
    touch, sentence = RESULTS[way]
    path = tmp_path / "results.jsonl"
    path.write_text("".join(f"{line}\n" for line in touch(failing.read_text().splitlines())))
    held = weigh(path)
    content = conformance.document(report_on(held.run, held.sha256))
    said = complaints(content, path)
    assert any(re.search(sentence, one) for one in said), said
    assert not any("digest" in one for one in said)


def test_results_of_another_run_are_not_those(report: dict[str, Any], tmp_path: Path) -> None:
    said = complaints(as_yaml(report), written(run_of(), tmp_path))
    assert any("another digest" in one for one in said)
    assert any("Profile core has other result than the results, which come to success" in one for one in said)


def test_everything_is_said_at_once(report: dict[str, Any], failing: Path) -> None:
    report |= {"date": "2031-01-01T00:00:00+00:00", "approved": True}
    report["run"]["sha256"] = "0" * 64
    core(report)["result"] = "success"
    said = "\n".join(complaints(as_yaml(report), failing))
    for word in ("approved", "future", "says success", "digest"):
        assert word in said
