"""Counters among Prometheus' text format."""

from __future__ import annotations

import math
import re

_SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?P<labels>\{[^\n]*\})? (?P<value>\S+)( -?\d+)?")


def total(text: str, name: str) -> int | None:
    """The sum of a counter's samples; None where the page does not know it.

    A counter with labels has no sample until it has counted something: it is known by its TYPE line, and then 0.
    """
    known, found = False, 0.0
    for line in text.splitlines():
        if line.split(" ")[:3] == ["#", "TYPE", name]:
            known = True
        elif (match := _SAMPLE.fullmatch(line)) and match["name"] == name:
            known, found = True, found + _number(match["value"])
    return round(found) if known and math.isfinite(found) else None


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan
