"""NetworkPolicies and Services, one test case a cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.network_policy.cases import CASES, MATRICES


@pytest.mark.cells(area="network_policy", cases=CASES, matrices=MATRICES)
def test_network_policy(hold: Callable[[], None]) -> None:
    """What was seen is what is promised."""
    hold()
