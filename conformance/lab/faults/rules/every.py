"""All rewrites."""

from __future__ import annotations

from conformance.lab.faults.rules import (
    addresses,
    affinity,
    answering,
    choice,
    dispatch,
    forgetting,
    frozen,
    masquerade,
    policy,
    ranges,
    stale,
    sync,
    timeouts,
    verdicts,
)
from conformance.lab.faults.rules.registry import REWRITES

__all__ = [
    "REWRITES",
    "addresses",
    "affinity",
    "answering",
    "choice",
    "dispatch",
    "forgetting",
    "frozen",
    "masquerade",
    "policy",
    "ranges",
    "stale",
    "sync",
    "timeouts",
    "verdicts",
]
