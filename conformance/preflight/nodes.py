"""What each node must have."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model.release import release
from conformance.preflight.checks import found
from conformance.preflight.finding import Finding, Kind, Severity
from conformance.preflight.subject import Subject

OLDEST_KERNEL = (5, 13, 0)
_FORGIVING_KERNEL = (6, 1, 0)
OLDEST_NFT = (1, 0, 1)


def nodes(subject: Subject) -> Iterator[Finding]:
    """Kernel, nft and firewall of each Linux node; the Windows nodes."""
    every, leaving = subject.nodes(), subject.leaving()
    if not every and not subject.windows():
        yield found(Kind.NODES_UNKNOWN, "no node is known", subject.facts.nodes.source)
    for node in subject.windows():
        system = subject.facts.systems.otherwise({}).get(node, "label kubernetes.io/os")
        yield found(Kind.WINDOWS, system, subject.facts.systems.source, node=node)
    for node in every:
        yield from _kernel(subject, node, leaves=node in leaving)
        yield from _nft(subject, node)
        if node in leaving:
            yield from _firewall(subject, node)


def _kernel(subject: Subject, node: str, *, leaves: bool) -> Iterator[Finding]:
    fact = subject.facts.kernels
    text = fact.otherwise({}).get(node, "")
    number = release(text)
    if number is None:
        why = f"'{text}' is no version" if text else "its kernel is not known"
        yield found(Kind.KERNEL_UNKNOWN, why, fact.source, node=node)
    elif number < OLDEST_KERNEL:
        yield found(Kind.KERNEL_TOO_OLD, f"kernel {text}", fact.source, node=node)
    elif number < _FORGIVING_KERNEL and leaves and not subject.option("conntrack", "tcpBeLiberal"):
        known = subject.configuration.known
        evidence = f"kernel {text}, conntrack.tcpBeLiberal {'not set' if known else 'not known'}"
        severity = None if known else Severity.UNKNOWN
        yield found(Kind.CONNTRACK_INVALID, evidence, fact.source, node=node, severity=severity)


def _nft(subject: Subject, node: str) -> Iterator[Finding]:
    facts = subject.facts
    # kube-proxy does not start with too old an nft of its own.
    places = (("kube-proxy's", facts.nft_versions, Severity.BLOCKER), ("the node's", facts.host_nft_versions, None))
    lacking = {}
    for whose, fact, severity in places:
        text = fact.otherwise({}).get(node, "")
        number = release(text)
        if number is None:
            lacking[whose] = fact.source
        elif number < OLDEST_NFT:
            yield found(Kind.NFT_TOO_OLD, f"{whose} nft is {text}", fact.source, node=node, severity=severity)
    if lacking:
        evidence = f"the version of {' and '.join(lacking)} nft is not known"
        yield found(Kind.NFT_UNKNOWN, evidence, "; ".join(dict.fromkeys(lacking.values())), node=node)


def _firewall(subject: Subject, node: str) -> Iterator[Finding]:
    if node not in subject.drops:
        yield found(Kind.FIREWALL_UNKNOWN, "its ruleset is not known", "no --ruleset of this node", node=node)
    elif subject.drops[node]:
        places = "; ".join(subject.drops[node])
        yield found(Kind.FIREWALL_DROPS, places, "its ruleset", node=node)
