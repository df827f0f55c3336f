"""External traffic policy, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.external_policy.cases import CASES, MATRICES


@pytest.mark.cells(area="external_policy", cases=CASES, matrices=MATRICES)
def test_external_policy(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
