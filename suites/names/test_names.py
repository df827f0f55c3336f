"""Names of Services, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.names.cases import CASES, MATRICES


@pytest.mark.cells(area="names", cases=CASES, matrices=MATRICES)
def test_names(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
