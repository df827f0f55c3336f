"""healthCheckNodePort, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.health_check.cases import CASES, MATRICES


@pytest.mark.cells(area="health_check", cases=CASES, matrices=MATRICES)
def test_health_check(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
