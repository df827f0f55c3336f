"""What the audit found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conformance.model.addresses import Family
from conformance.model.source import Source


class Kind(Enum):
    """In what way the table differs from what the API's objects ask for."""

    MISSING = "missing"  # kube-proxy would have written it
    STALE = "stale"  # an element for what is not, or no longer, there
    ALTERED = "altered"  # it is there, but does something else
    DUPLICATED = "duplicated"
    WRONG_ENDPOINTS = "wrong endpoints"
    LEAKED_CHAIN = "leaked chain"  # a Service's chain or affinity set that nothing refers to
    FOREIGN = "foreign"  # nothing that kube-proxy writes
    BASE = "base"  # hook, priority, jump or their order


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference on ``node``: ``where`` in the table, about which ``object`` (``namespace/name:port``, or empty).

    ``there`` is what the kernel has, ``expected`` what it should have; ``source`` is where that is written.
    """

    node: str
    family: Family
    kind: Kind
    object: str
    where: str
    there: str
    expected: str
    source: Source
