"""Topology, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.topology.cases import CASES, MATRICES


@pytest.mark.cells(area="topology", cases=CASES, matrices=MATRICES)
def test_topology(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
