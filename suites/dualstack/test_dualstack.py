"""Dual-stack, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.dualstack.cases import CASES, MATRICES


@pytest.mark.cells(area="dualstack", cases=CASES, matrices=MATRICES)
def test_dualstack(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
