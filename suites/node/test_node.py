"""Nodes, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.node.cases import CASES, MATRICES


@pytest.mark.cells(area="node", cases=CASES, matrices=MATRICES)
def test_node(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
