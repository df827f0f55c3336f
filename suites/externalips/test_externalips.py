"""External IPs, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.externalips.cases import CASES, MATRICES


@pytest.mark.cells(area="externalips", cases=CASES, matrices=MATRICES)
def test_externalips(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
