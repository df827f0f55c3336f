"""Endpoints, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.endpoints.cases import CASES, MATRICES


@pytest.mark.cells(area="endpoints", cases=CASES, matrices=MATRICES)
def test_endpoints(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
