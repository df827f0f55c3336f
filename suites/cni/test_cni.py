"""The pod network, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.cni.cases import CASES, MATRICES


@pytest.mark.cells(area="cni", cases=CASES, matrices=MATRICES)
def test_cni(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
