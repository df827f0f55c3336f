"""What the API server says to Services, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.api.cases import CASES, MATRICES


@pytest.mark.cells(area="api", cases=CASES, matrices=MATRICES)
def test_api(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
