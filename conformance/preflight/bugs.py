"""Bugs of this kube-proxy that the cluster would meet in nftables mode, and which of its objects meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import assert_never

from conformance.model.addresses import Protocol
from conformance.model.cluster import DetectLocal, ProxyMode
from conformance.model.kube import Policy, Service
from conformance.model.release import release
from conformance.model.source import Source, SourceKind
from conformance.preflight.checks import found
from conformance.preflight.components import severity_of
from conformance.preflight.finding import Finding, Kind, Severity
from conformance.preflight.subject import Subject
from conformance.spec.concern import Concern

LONGEST_COMMENT = 128
"""Bytes that nft takes as the comment of an element."""
MANY_SERVICES = 10_000
NEWER_NFT, BACKPORT = (1, 1, 2), "1.0.6.1"
"""The first nft whose sets older ones cannot read, and an older release that has the same code."""


@dataclass(frozen=True, slots=True)
class Met:
    """Who meets a bug: a node, a Service, or with neither the cluster."""

    node: str = ""
    service: str = ""
    seen: str = ""


def bugs(subject: Subject) -> Iterator[Finding]:
    """Those of the file of interplay facts, and the known upstream issues."""
    learned = subject.proxy_releases_learned()
    for bug in subject.interplay.bugs:
        versions = [text for text, number in subject.proxy_releases().items() if bug.is_in(number)]
        severity = severity_of(bug.verdict)
        for met in met_by(subject, bug.concerns) if versions and severity else ():
            yield found(
                Kind.BUG,
                _told(versions, bug.summary, met),
                learned,
                node=met.node,
                service=met.service,
                severity=severity,
                remedy=bug.remedy,
                source=_cited(bug.link),
            )
    for issue in subject.known_issues:
        versions = [text for text in subject.proxy_releases() if issue.is_in(text, ProxyMode.NFTABLES)]
        severity = Severity.WARNING if issue.modes else Severity.NOTE
        if subject.today > issue.expires:
            severity = Severity.UNKNOWN
        for met in met_by(subject, issue.concerns) if versions else ():
            evidence = _told(versions, issue.summary, met)
            yield found(
                Kind.KNOWN_ISSUE,
                evidence if issue.modes else f"{evidence} (in every mode)",
                learned,
                node=met.node,
                service=met.service,
                severity=severity,
                source=_cited(issue.link),
            )


def met_by(subject: Subject, concern: Concern) -> Iterator[Met]:
    """Who of the cluster has what a bug takes; what is not known is not said to have it."""
    match concern:
        case Concern.CLUSTER:
            yield Met()
        case Concern.UDP:
            yield from _services(subject, lambda s: any(p.protocol is Protocol.UDP for p in s.ports))
        case Concern.LOCAL_EXTERNAL:
            yield from _services(
                subject, lambda s: s.external_policy is Policy.LOCAL and bool(s.external_ips or s.ingress)
            )
        case Concern.LONG_NAME:
            yield from _services(subject, lambda s: any(_comment(s, p.name) > LONGEST_COMMENT for p in s.ports))
        case Concern.MANY_SERVICES:
            count = len(subject.served())
            if count >= MANY_SERVICES:
                yield Met(seen=f"{count} Services")
        case Concern.INTERFACE_PREFIX:
            if subject.facts.detect_local.value is DetectLocal.INTERFACE_NAME_PREFIX:
                yield Met(seen="detectLocalMode is InterfaceNamePrefix")
        case Concern.NEWER_NFT:
            inside = subject.facts.nft_versions.otherwise({})
            for node, text in sorted(subject.facts.host_nft_versions.otherwise({}).items()):
                if _new_sets(text) and not _new_sets(inside.get(node, "")):
                    yield Met(
                        node=node, seen=f"the node's nft is {text}, kube-proxy's {inside.get(node) or 'not known'}"
                    )
        case _:
            assert_never(concern)


def _services(subject: Subject, has: Callable[[Service], bool]) -> Iterator[Met]:
    return (Met(service=s.key) for s in subject.served() if has(s))


def _new_sets(text: str) -> bool:
    return (release(text) or (0, 0, 0)) >= NEWER_NFT or text == BACKPORT


def _comment(service: Service, port: str) -> int:
    return len((f"{service.key}:{port}" if port else service.key).encode())


def _told(versions: list[str], summary: str, met: Met) -> str:
    there = f"kube-proxy {', '.join(versions)}"
    return f"{there}, {met.seen}: {summary}" if met.seen else f"{there}: {summary}"


def _cited(link: str) -> Source:
    return Source(SourceKind.CODE, link.removeprefix("https://github.com/"), link)
