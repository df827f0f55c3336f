"""Connection tracking: what was established lives on, and what leads nowhere is forgotten."""

from __future__ import annotations

from conformance.model.case import Matrix
from suites.conntrack.following import FOLLOWING
from suites.conntrack.staying import STAYING

CASES = (*FOLLOWING, *STAYING)

MATRICES: tuple[Matrix, ...] = ()
