"""The HTML page: whole, honest, and deaf to whatever a cluster says."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import lxml.html
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.model.printable import printable
from conformance.model.result import Excuse
from conformance.model.verdict import Mismatch, Status
from conformance.results.run import Run
from reports import html
from reports.embedded import as_yaml
from reports.marks import BY_KEY, MARKS
from tests.reports.hostile import HARMLESS, HOSTILE, a_run_of
from tests.reports.runs import a_result, a_run, an_account


def page(run: Run) -> Any:  # noqa: ANN401  lxml's stubs know no HtmlElement that can be searched
    return lxml.html.document_fromstring(html.document(run).decode())


def data(found: Any) -> dict[str, Any]:  # noqa: ANN401
    told: dict[str, Any] = json.loads(found.get_element_by_id("data").text)
    return told


def shown(run: Run) -> str:
    """What a reader sees without the script, blanks folded."""
    return " ".join("".join(page(run).xpath("//header//text() | //main//text()")).split())


def test_hostile_text_changes_nothing_of_the_page_but_its_text() -> None:
    harmless, hostile = page(a_run_of(HARMLESS)), page(a_run_of(HOSTILE))
    assert [e.tag for e in hostile.iter()] == [e.tag for e in harmless.iter()]
    assert [sorted(e.keys()) for e in hostile.iter()] == [sorted(e.keys()) for e in harmless.iter()]
    assert not [key for e in hostile.iter() for key in e.keys() if key.startswith("on") or key == "style"]  # noqa: SIM118
    links = [e.get("href") for e in hostile.iter("a")]
    assert any(link.startswith("https://") for link in links)
    assert all(link.startswith(("https://", "#")) for link in links)
    text = "".join(hostile.xpath("//main//text()"))
    assert printable(HOSTILE) in text
    assert not set(text) & set("\x00\x1b\u202e\u2028")


def test_hostile_text_arrives_whole_in_what_the_script_reads() -> None:
    told = data(page(a_run_of(HOSTILE)))
    texts = told["texts"]
    assert sum(text.startswith(printable(HOSTILE)) for text in texts) > 20
    assert {"again", "asked", "expected", "observed", "reasons", "objects", "issue"} < told["details"]["0"].keys()
    written = texts[told["details"]["0"]["objects"][0]]
    assert yaml.safe_load(written) == {"kind": HOSTILE, HOSTILE: [HOSTILE, {"a": HOSTILE}], "spec": "line\nline"}
    assert written.replace("\n", "").isprintable()


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_any_text_is_the_same_text_on_the_page(text: str) -> None:
    told = data(page(a_run([a_result(1, Status.FAILED, account=an_account(text), message=text)])))
    assert told["texts"][told["details"]["0"]["observed"]] == printable(text).encode(errors="replace").decode()


def test_only_the_pages_own_script_and_style_may_run_and_nothing_is_fetched() -> None:
    found = page(a_run([a_result(1, Status.PASSED)]))
    (policy,) = found.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    own = {
        f"{kind}-src": f"'sha256-{b64encode(sha256(found.xpath(path)[0].text.encode()).digest()).decode()}'"
        for kind, path in (("script", "//script[not(@type)]"), ("style", "//style"))
    }
    directives = dict(part.split(maxsplit=1) for part in policy.split("; "))
    assert directives == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'", **own}
    assert not found.xpath("//@src | //link | //iframe | //object")


def test_every_verdict_has_a_glyph_of_its_own() -> None:
    assert BY_KEY.keys() == {one.value for one in Mismatch} | {one.value for one in Status if one is not Status.FAILED}
    assert len({mark.glyph for mark in MARKS}) == len(MARKS)
    style = (html._TEMPLATES / "page.css").read_text()
    for mark in MARKS:
        assert re.search(rf"^\.{mark.tone} \{{", style, re.MULTILINE), mark.tone


def test_what_did_not_pass_is_told_without_the_script_too() -> None:
    results = [a_result(i, status, account=an_account(), message=f"says {i}") for i, status in enumerate(Status)]
    excuse = Excuse("https://example.org/1", "a known bug", "2027-01-01")
    results = [replace(one, issue=excuse) if one.status is Status.KNOWN_ISSUE else one for one in results]
    text = shown(a_run(results))
    assert text.startswith("✕ failed nftconform: 6 cells in 12.3 s")
    for said in (
        "Failures: 1",
        "not reached 1",
        "observed 5/5 silent",
        "nftconform run --case NP-02.ipv4-tcp --kubeconfig k",
        "Could not be asked: 1",
        "Known issues: 1",
        "a known bug: https://example.org/1, until 2027-01-01",
        "Not applicable: 1 1 says 4",
        "Recorded, not judged: 1 1 says 1",
    ):
        assert said in text, said


@pytest.mark.parametrize(("missing", "said"), [(0, ""), (7, "7 of 8 planned cells were never asked")])
def test_what_was_never_asked_stands_on_top(missing: int, said: str) -> None:
    run = a_run([a_result(1, Status.PASSED)], missing=missing)
    banners = page(run).xpath("//header//*[@role='alert']")
    assert [said in banner.text_content() for banner in banners] == [True] * bool(said)
    assert ("Failures: none" in shown(run)) is True


def test_a_truncated_run_says_so_on_top() -> None:
    whole = a_run([a_result(1, Status.PASSED)])
    found = page(Run(whole.header, whole.facts, whole.results))
    (banner,) = found.xpath("//header//*[@role='alert']")
    assert "truncated" in banner.text_content()
    assert found.xpath("string(//h1)").split()[:2] == ["◐", "partial"]


def test_cases_beyond_the_first_are_one_step_away() -> None:
    found = page(a_run([a_result(i, Status.FAILED) for i in range(html.MOST_GROUPS + 3)]))
    assert len(found.xpath("//section/details[@class='group']")) == html.MOST_GROUPS
    (more,) = found.xpath("//section/details[not(@class) and summary[contains(., 'more cases')]]")
    assert len(more.xpath("details[@class='group']")) == 3


def test_objects_nested_beyond_reason_are_not_shown_and_harm_nothing() -> None:
    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"a": deep}
    assert as_yaml([deep]).startswith("# nested too deeply")
