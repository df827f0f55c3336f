"""ClusterIP, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.clusterip.cases import CASES, MATRICES


@pytest.mark.cells(area="clusterip", cases=CASES, matrices=MATRICES)
def test_clusterip(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
