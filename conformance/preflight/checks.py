"""How a check says what it has found."""

from __future__ import annotations

from conformance.model.source import Source
from conformance.preflight.finding import Finding, Kind, Scope, Severity
from conformance.preflight.rules import RULES


def found(
    kind: Kind,
    evidence: str,
    learned: str,
    *,
    node: str = "",
    service: str = "",
    severity: Severity | None = None,
    remedy: str = "",
    source: Source | None = None,
    about: str = "",
) -> Finding:
    """A finding about a ``node``, a ``service`` (its key) or the cluster; what is not said is its kind's."""
    rule = RULES[kind]
    scope = Scope.NODE if node else Scope.SERVICE if service else Scope.CLUSTER
    return Finding(
        kind=kind,
        severity=severity or rule.severity,
        scope=scope,
        object=node or service or about,
        evidence=evidence,
        learned=learned,
        remedy=remedy or rule.remedy,
        source=source or rule.source,
    )
