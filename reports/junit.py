"""JUnit XML: a suite per area, a test case per cell."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import assert_never

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from conformance.model.result import Result, by_area
from conformance.model.verdict import Status
from reports.files import write_whole, xml_text


def write(path: Path, results: Iterable[Result], facts: Mapping[str, str], started: datetime) -> None:
    """Write ``results`` to ``path``, whole or not at all; ``facts`` become properties of every suite.

    A wrong answer is a ``<failure>``, a cell that could not be asked an ``<error>``, one that does not apply or is
    excused ``<skipped>``. Raises `EnvironmentFault` when the folder cannot be written.
    """
    document = JUnitXml("nftconform")
    for area, members in by_area(results).items():
        suite = TestSuite(f"nftconform.{area}")
        suite.timestamp = started.isoformat(timespec="seconds")
        for name, value in facts.items():
            suite.add_property(xml_text(name), xml_text(value))
        suite.add_testcases([_case(r) for r in members])
        document.add_testsuite(suite)
    document.update_statistics()
    buffer = io.BytesIO()
    document.write(buffer)
    write_whole(path, buffer.getvalue())


def _case(result: Result) -> TestCase:
    case = TestCase(name=result.id, classname=f"nftconform.{result.area}.{result.case}", time=round(result.seconds, 3))
    properties = Properties()
    for name, value in (
        ("level", result.level.value),
        ("source", ", ".join(result.sources)),
        ("service", result.service),
        ("client", result.client),
        ("destination", result.destination),
        ("family", result.family),
        ("protocol", result.protocol),
        ("status", result.status.value),
        ("mismatch", result.mismatch.value),
    ):
        properties.add_property(Property(name, xml_text(value)))
    case.append(properties)
    match result.status:
        case Status.PASSED:
            pass
        case Status.FAILED:
            case.result = [_told(Failure, result, result.promise)]
        case Status.UNKNOWN:
            case.result = [_told(Error, result, result.message)]
        case Status.NOT_APPLICABLE:
            case.result = [Skipped(xml_text(result.message), "not-applicable")]
        case Status.KNOWN_ISSUE:
            case.result = [Skipped(xml_text(result.message), "known-issue")]
        case Status.RECORDED:
            case.result = [Skipped(xml_text(result.message), "recorded")]
        case _:
            assert_never(result.status)
    return case


def _told(kind: type[Failure] | type[Error], result: Result, headline: str) -> Failure | Error:
    told = kind(xml_text(headline), result.mismatch.value)
    told.text = xml_text(f"{result.message}\n{result.block}".strip())
    return told
