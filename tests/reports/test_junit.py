"""JUnit as CI systems read it: counts that add up, nothing from the cluster taken at its word."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from conformance.errors import EnvironmentFault
from conformance.model.case import Level
from conformance.model.result import Result
from conformance.model.verdict import Mismatch, Status
from reports import junit
from reports.files import check_writable, write_whole, xml_text

STARTED = datetime(2026, 11, 22, tzinfo=UTC)


def a_result(number: int, status: Status, *, area: str = "nodeport", block: str = "", message: str = "m") -> Result:
    return Result(
        id=f"NP-{number:02}.ipv4-tcp",
        case=f"NP-{number:02}",
        area=area,
        level=Level.MUST,
        promise="A promise.",
        sources=("service.spec.type",),
        service="np-web-a",
        client="pod-a",
        destination="nodePort-b",
        family="IPv4",
        protocol="TCP",
        status=status,
        mismatch=Mismatch.NOT_REACHED if status is Status.FAILED else Mismatch.NONE,
        message=message,
        block=block,
        seconds=0.25,
    )


def test_counts_add_up_and_suites_are_areas(tmp_path: Path) -> None:
    results = [a_result(i, s, area=a) for a in ("nodeport", "affinity") for i, s in enumerate(Status)]
    path = tmp_path / "junit.xml"
    junit.write(path, results, {"proxy mode": "nftables"}, STARTED)
    read = JUnitXml.fromfile(str(path))
    assert (read.tests, read.failures, read.errors, read.skipped) == (len(results), 2, 2, 6)
    assert [s.name for s in read] == ["nftconform.affinity", "nftconform.nodeport"]
    assert {(p.name, p.value) for s in read for p in s.properties()} == {("proxy mode", "nftables")}


def test_a_failure_leads_with_the_promise_and_carries_the_block(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    junit.write(path, [a_result(1, Status.FAILED, block="  asked   pod-a -> node-b")], {}, STARTED)
    (suite,) = JUnitXml.fromfile(str(path))
    (case,) = suite
    (failure,) = case.result
    assert failure.message == "A promise."
    assert "asked   pod-a -> node-b" in failure.text
    assert failure.type == "not-reached"
    properties = ElementTree.parse(path).findall("testsuite/testcase/properties/property")
    assert ("mismatch", "not-reached") in {(p.get("name"), p.get("value")) for p in properties}


@given(st.text())
def test_any_text_of_a_cluster_makes_a_document_that_can_be_read(text: str) -> None:
    assert xml_text(xml_text(text)) == xml_text(text)
    legal = all(
        c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" for c in xml_text(text)
    )
    assert legal


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    hostile = "</failure><script>\x00\x1b[31m]]>&\ud800"
    junit.write(path, [a_result(1, Status.FAILED, block=hostile, message=hostile)], {hostile: hostile}, STARTED)
    (suite,) = JUnitXml.fromfile(str(path))
    (case,) = suite
    assert "</failure><script>" in case.result[0].text
    assert "\x1b" not in path.read_text()


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


@pytest.mark.parametrize("status", list(Status))
def test_a_result_survives_the_way_between_processes(status: Status) -> None:
    one = a_result(3, status, block="block \N{BULLET}")
    assert Result.from_json(one.to_json()) == one
