"""kube-proxy and its changes, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.proxy.cases import CASES, MATRICES


@pytest.mark.cells(area="proxy", cases=CASES, matrices=MATRICES)
def test_proxy(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
