"""LoadBalancer, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.loadbalancer.cases import CASES, MATRICES


@pytest.mark.cells(area="loadbalancer", cases=CASES, matrices=MATRICES)
def test_loadbalancer(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
