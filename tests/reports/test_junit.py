"""JUnit as CI systems read it: of the common form, counts that add up, nothing from the cluster taken at its word."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml
from lxml import etree

from conformance.errors import EnvironmentFault
from conformance.model.verdict import Status
from conformance.results.run import Run
from reports import junit
from reports.files import check_writable, write_whole, xml_text
from tests.reports.runs import a_result, a_run, an_account

SCHEMA = Path(__file__).parents[1] / "data" / "junit.xsd"


def read(run: Run) -> JUnitXml:
    """As junitparser reads it, once it is of the common form."""
    document = junit.document(run)
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(etree.fromstring(document))
    return JUnitXml.fromstring(document)


def test_counts_add_up_and_suites_are_areas() -> None:
    results = [
        a_result(20 * n + i, s, area=a) for n, a in enumerate(("nodeport", "affinity")) for i, s in enumerate(Status)
    ]
    found = read(a_run(results))
    assert (found.tests, found.failures, found.errors, found.time) == (len(results), 2, 2, 3.0)
    assert [(s.name, s.tests, s.failures, s.errors, s.skipped) for s in found] == [
        ("nftconform.affinity", 6, 1, 1, 3),
        ("nftconform.nodeport", 6, 1, 1, 3),
    ]
    told = {(p.name, p.value) for s in found for p in s.properties()}
    assert {("proxy mode", "nftables"), ("kubernetes", "v1.36.2"), ("seed", "7")} < told


def test_a_failure_leads_with_the_promise_and_carries_the_block() -> None:
    (suite,) = read(a_run([a_result(1, Status.FAILED, account=an_account())]))
    (case,) = suite
    (failure,) = case.result
    assert (case.classname, case.name) == ("nftconform.nodeport.NP-01", "NP-01.ipv4-tcp")
    assert (failure.message, failure.type) == ("A promise.", "not-reached")
    first, second, *_ = failure.text.splitlines()
    assert first == "A promise."
    assert second.startswith("NP-01.ipv4-tcp  MUST  ")
    assert "  observed  5/5 silent\n" in failure.text
    assert "  controls  before ok, after not asked\n" in failure.text
    assert failure.text.endswith("  again     nftconform run --case NP-01.ipv4-tcp --kubeconfig k")


def test_evidence_is_attached_as_jenkins_and_gitlab_read_it() -> None:
    one = replace(a_result(1, Status.FAILED, account=an_account()), divergence="node-b", evidence="out/evidence/NP-01/")
    (suite,) = read(a_run([one]))
    (case,) = suite
    assert case.system_out == "[[ATTACHMENT|out/evidence/NP-01/way.txt]]"
    (failure,) = case.result
    assert "  diverged  node-b\n  evidence  out/evidence/NP-01/\n" in failure.text


def test_a_truncated_run_says_so() -> None:
    run = a_run([a_result(1, Status.PASSED)])
    (suite,) = read(Run(run.header, run.facts, run.results))
    (told,) = [p.value for p in suite.properties() if p.name == "trouble"]
    assert "truncated" in told


@given(st.text())
def test_any_text_of_a_cluster_makes_a_document_that_can_be_read(text: str) -> None:
    assert xml_text(xml_text(text)) == xml_text(text)
    legal = all(
        c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" for c in xml_text(text)
    )
    assert legal


@pytest.mark.parametrize("status", list(Status))
def test_hostile_text_stays_text(status: Status) -> None:
    hostile = "</failure><script>\x00\x1b[31m]]>&\ud800\uffff<!--"
    run = a_run([a_result(1, status, area=hostile, account=an_account(hostile), message=hostile)])
    (suite,) = read(run)
    (case,) = suite
    assert len(list(suite)) == 1
    for shown in case.result:
        assert "</failure><script>" in (shown.text or shown.message)
    assert b"\x1b" not in junit.document(run)


def test_a_document_is_replaced_whole_and_leaves_no_scraps(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["junit.xml"]  # noqa: PTH208  names, not paths


def test_a_folder_that_is_a_file_gets_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(EnvironmentFault, match=r"cannot be written.*--output"):
        check_writable(blocked / "out")
    with pytest.raises(EnvironmentFault, match=r"cannot be written.*--output"):
        write_whole(blocked / "out" / "junit.xml", b"")
