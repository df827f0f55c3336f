"""Interplay with others on the node, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.interplay.cases import CASES, MATRICES


@pytest.mark.cells(area="interplay", cases=CASES, matrices=MATRICES)
def test_interplay(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
