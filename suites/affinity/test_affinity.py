"""Session affinity, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.affinity.cases import CASES, MATRICES


@pytest.mark.cells(area="affinity", cases=CASES, matrices=MATRICES)
def test_affinity(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
