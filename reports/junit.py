"""JUnit XML: a suite per area, a test case per cell, in the form that Jenkins' junit-10.xsd and GitLab take.

That form knows properties of suites alone, and no count of skipped tests but theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import assert_never
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from conformance.judge import explain
from conformance.model.result import Result, by_area
from conformance.model.verdict import Status
from conformance.results.run import Run
from reports.evidence import WAY
from reports.facts import described, properties
from reports.files import xml_text


def document(run: Run) -> bytes:
    """The run as one document.

    A wrong answer is a ``<failure>``, a cell that could not be asked an ``<error>``, one that does not apply, is
    excused or is only recorded ``<skipped>``. Facts are properties of every suite. Names and classes are the same in
    every run on any cluster.
    """
    head = run.header
    told = described(run.facts, head.nodes, head.families, head.profile)
    told |= {"nftconform": head.kit, "seed": str(head.seed)} | properties(run.facts)
    told |= {"trouble": " ".join(run.troubles)} if run.troubles else {}
    root = Element("testsuites", {"name": "nftconform", **_counts(run.results)})
    for area, members in by_area(run.results).items():
        counts = _counts(members) | {"skipped": str(sum(map(_is_skipped, members)))}
        suite = _add(root, "testsuite", name=f"nftconform.{area}", timestamp=head.started, **counts)
        facts = SubElement(suite, "properties")
        for name, value in told.items():
            _add(facts, "property", name=name, value=value)
        for one in members:
            _case(suite, one, head.again)
    ElementTree.indent(root, " ")
    content: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return content + b"\n"


def _case(suite: Element, one: Result, options: str) -> None:
    names = {"classname": f"nftconform.{one.area}.{one.case}", "name": one.id}
    case = _add(suite, "testcase", **names, time=_seconds([one]))
    match one.status:
        case Status.PASSED:
            pass
        case Status.FAILED:
            failure = _add(case, "failure", message=one.promise, type=one.mismatch.value)
            failure.text = xml_text(f"{one.promise}\n{explain(one, options) or one.message}")
            if one.evidence:
                # Jenkins' junit-attachments and GitLab read it from a test's output.
                _text(case, "system-out", f"[[ATTACHMENT|{one.evidence}{WAY}]]")
        case Status.UNKNOWN:
            error = _add(case, "error", message=one.message, type=one.mismatch.value)
            error.text = xml_text(f"{one.message}\n{explain(one, options)}".strip())
        case Status.NOT_APPLICABLE | Status.KNOWN_ISSUE | Status.RECORDED:
            _add(case, "skipped", message=one.message, type=one.status.value)
        case _:
            assert_never(one.status)


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = xml_text(text)


def _counts(results: Collection[Result]) -> dict[str, str]:
    counted = Counter(one.status for one in results)
    return {
        "tests": str(len(results)),
        "failures": str(counted[Status.FAILED]),
        "errors": str(counted[Status.UNKNOWN]),
        "time": _seconds(results),
    }


def _is_skipped(one: Result) -> bool:
    return one.status in (Status.NOT_APPLICABLE, Status.KNOWN_ISSUE, Status.RECORDED)


def _seconds(results: Collection[Result]) -> str:
    return f"{max(0.0, sum(one.timing.seconds for one in results)):.3f}"


def _add(parent: Element, tag: str, **attributes: str) -> Element:
    return SubElement(parent, tag, {name: xml_text(value) for name, value in attributes.items()})
