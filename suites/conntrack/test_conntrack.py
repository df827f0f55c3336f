"""Connection tracking, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.conntrack.cases import CASES, MATRICES


@pytest.mark.cells(area="conntrack", cases=CASES, matrices=MATRICES)
def test_conntrack(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
