"""The badge: what it says, to eyes and to screen readers, and that it is a picture and nothing more."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from conformance.errors import UsageError
from conformance.model.verdict import Status
from conformance.results.run import Run
from fixtures.catalogue import areas
from reports import badge
from reports.formats import FORMATS
from tests.certify.runs import but, run_of

SVG = "{http://www.w3.org/2000/svg}"
ALL = areas()


@pytest.fixture(scope="module")
def healthy() -> Run:
    return run_of(of=ALL)


def said(run: Run) -> str:
    """The title, once it is what the picture shows."""
    root = ElementTree.fromstring(FORMATS["badge"](run))
    title = root.findtext(f"{SVG}title") or ""
    assert title == ": ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title")
    return title


def test_it_names_the_profiles_that_are_a_success(healthy: Run) -> None:
    assert said(healthy) == "nftconform 0.1.0: success: core, extended, kube-proxy-nftables, cni"


def test_a_failure_outweighs_any_success() -> None:
    run = run_of(but({"SRC-01": (Status.FAILED, ""), "TOP-01": (Status.UNKNOWN, "")}), of=ALL)
    assert said(run) == "nftconform 0.1.0: failure: cni"


def test_less_than_all_is_no_success(healthy: Run) -> None:
    for run in (replace(healthy, footer=None), run_of(of=[area for area in ALL if area.name == "topology"])):
        assert said(run) == "nftconform 0.1.0: partial"


def test_a_kit_that_nobody_knows_gets_none() -> None:
    run = run_of()
    run = replace(run, header=replace(run.header, kit="<9>"))
    with pytest.raises(UsageError, match=r"The run is of nftconform <9>; this kit knows 0\.1\.0"):
        badge.document(run)


def test_it_needs_no_network_and_runs_nothing(healthy: Run) -> None:
    root = ElementTree.fromstring(badge.document(healthy))
    assert {one.tag.removeprefix(SVG) for one in root.iter()} == {"svg", "title", "rect", "g", "text"}
    assert not any(name.startswith("on") or "href" in name for one in root.iter() for name in one.attrib)
    assert [one.get("textLength") for one in root.iter(f"{SVG}text")] == ["106", "323"]


def test_text_is_escaped() -> None:
    drawn = badge._drawn('<script>&"\x00', "\u202ex]]>", "#444")
    texts = [one.text for one in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    assert texts == ['<script>&"\\x00', "\u202ex]]>"]
    assert b"<script>" not in drawn
