"""May this cluster move from iptables or ipvs to nftables? From what is known of it to what to know before. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.preflight import bugs, components, configuration, modes, nodes, services
from conformance.preflight.checks import found
from conformance.preflight.finding import Finding, Kind, Scope, Severity, accepted
from conformance.preflight.firewall import MalformedListing, drops
from conformance.preflight.rules import RULES, Rule
from conformance.preflight.subject import Subject

__all__ = [
    "RULES",
    "Finding",
    "Kind",
    "MalformedListing",
    "Rule",
    "Scope",
    "Severity",
    "Subject",
    "accepted",
    "drops",
    "findings",
]

_CHECKS = (
    modes.modes,
    modes.versions,
    nodes.nodes,
    components.components,
    bugs.bugs,
    configuration.configuration,
    configuration.ipvs,
    services.services,
)
_OF_EVERY_SWITCH = (Kind.CLUSTER_IP_REJECTS, Kind.LEFTOVERS, Kind.NOT_REPAIRED, Kind.CHAINS)


def findings(subject: Subject) -> tuple[Finding, ...]:
    """All findings, the heaviest first, then by kind, node and Service; none twice."""
    beside = list(modes.replaced(subject))
    every = beside if any(f.kind is Kind.REPLACED for f in beside) else [*beside, *_all(subject)]
    severities, kinds = list(Severity), list(Kind)
    return tuple(
        sorted(
            dict.fromkeys(every),
            key=lambda f: (severities.index(f.severity), kinds.index(f.kind), f.scope.value, f.object, f.evidence),
        )
    )


def _all(subject: Subject) -> Iterator[Finding]:
    for check in _CHECKS:
        yield from check(subject)
    if subject.moves():
        mode = subject.facts.proxy_mode
        for kind in _OF_EVERY_SWITCH:
            yield found(kind, f"from {mode.value.value}" if mode.value else "from another mode", mode.source)
