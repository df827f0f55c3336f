"""The API server: what it takes, refuses, fills in, keeps and gives back, before any packet flows.

There is no oracle of it: each row alone speaks, and cites the field's own documentation.
"""

from __future__ import annotations

from conformance.model.case import Matrix
from suites.api.families import CASES as FAMILIES
from suites.api.fields import CASES as FIELDS
from suites.api.lifecycle import CASES as LIFECYCLE
from suites.api.ports import CASES as PORTS

CASES = (*LIFECYCLE, *FAMILIES, *PORTS, *FIELDS)

MATRICES: tuple[Matrix, ...] = ()
