"""Source addresses, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.source.cases import CASES, MATRICES


@pytest.mark.cells(area="source", cases=CASES, matrices=MATRICES)
def test_source(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
