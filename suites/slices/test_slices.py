"""EndpointSlices, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.slices.cases import CASES, MATRICES


@pytest.mark.cells(area="slices", cases=CASES, matrices=MATRICES)
def test_slices(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
