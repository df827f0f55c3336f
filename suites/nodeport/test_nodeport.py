"""NodePort, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.nodeport.cases import CASES, MATRICES


@pytest.mark.cells(area="nodeport", cases=CASES, matrices=MATRICES)
def test_nodeport(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
