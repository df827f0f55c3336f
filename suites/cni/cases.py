"""The pod network under the Services: what gets through it, with which source address, and what comes back."""

from __future__ import annotations

from conformance.model.case import Matrix
from suites.cni.errors import ERRORS
from suites.cni.host_ports import HOST_PORTS
from suites.cni.loads import LOADS
from suites.cni.sources import SOURCES

CASES = (*SOURCES, *LOADS, *ERRORS, *HOST_PORTS)

MATRICES: tuple[Matrix, ...] = ()
