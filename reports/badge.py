"""A badge as SVG, for a README: which profiles a run makes a success. It needs no network and no font of its own."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from conformance.certify.certifying import profiles
from conformance.certify.report import Outcome, ProfileReport
from conformance.model.printable import short
from conformance.results.run import Run
from reports.catalogues import catalogue_of
from reports.files import xml_text

_HEIGHT, _PAD, _CHARACTER = 20, 8, 6.6
"""Pixels; the last is a character's width, to which the text is fitted whatever the font."""
_COLOURS = {Outcome.SUCCESS: "#28723a", Outcome.PARTIAL: "#7a5b00", Outcome.FAILURE: "#b3261e"}
"""White text on them has a contrast of 4.5 or more."""


def document(run: Run) -> bytes:
    """The badge of ``run``; a run that did not come to every case of a profile makes no success of it.

    Raises `UsageError` when the run is of a kit whose cases this one does not know.
    """
    word, outcome = _told(profiles(run, catalogue_of(run)), whole=not run.troubles)
    return _drawn(f"nftconform {run.header.kit}", word, _COLOURS[outcome])


def _told(told: Iterable[ProfileReport], *, whole: bool) -> tuple[str, Outcome]:
    by_outcome: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
    for one in told:
        by_outcome[one.result].append(one.name.value)
    if failed := by_outcome[Outcome.FAILURE]:
        return f"failure: {', '.join(failed)}", Outcome.FAILURE
    if not whole or not by_outcome[Outcome.SUCCESS]:
        return "partial", Outcome.PARTIAL
    return f"success: {', '.join(by_outcome[Outcome.SUCCESS])}", Outcome.SUCCESS


def _drawn(label: str, word: str, colour: str) -> bytes:
    label, word = xml_text(short(label, 40)), xml_text(word)
    left, right = (round(len(text) * _CHARACTER) + 2 * _PAD for text in (label, word))
    size = {"width": str(left + right), "height": str(_HEIGHT)}
    svg = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "role": "img", "aria-labelledby": "title"})
    SubElement(svg, "title", {"id": "title"}).text = f"{label}: {word}"
    SubElement(svg, "rect", {**size, "fill": "#444"})
    SubElement(svg, "rect", {"x": str(left), "width": str(right), "height": str(_HEIGHT), "fill": colour})
    style = {"fill": "#fff", "font-family": "Verdana,DejaVu Sans,sans-serif", "font-size": "11", "aria-hidden": "true"}
    texts = SubElement(svg, "g", style)
    for text, start, width in ((label, 0, left), (word, left, right)):
        place = {"x": str(start + _PAD), "y": "14", "textLength": str(width - 2 * _PAD)}
        SubElement(texts, "text", place).text = text
    content: bytes = ElementTree.tostring(svg, "utf-8")
    return content + b"\n"
