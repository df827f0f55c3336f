"""All rewrites."""

from __future__ import annotations

from conformance.lab.faults.rules import (
    addresses,
    answering,
    choice,
    dispatch,
    hairpin,
    sync,
    verdicts,
)
from conformance.lab.faults.rules.registry import REWRITES

__all__ = [
    "REWRITES",
    "addresses",
    "answering",
    "choice",
    "dispatch",
    "hairpin",
    "sync",
    "verdicts",
]
