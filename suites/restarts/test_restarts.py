"""Restarts, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.restarts.cases import CASES, MATRICES


@pytest.mark.cells(area="restarts", cases=CASES, matrices=MATRICES)
def test_restarts(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
