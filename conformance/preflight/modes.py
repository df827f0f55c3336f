"""The mode that the cluster would leave, and whether its kube-proxy has the one that it would enter."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model.cluster import ProxyMode
from conformance.preflight.checks import found
from conformance.preflight.finding import Finding, Kind
from conformance.preflight.subject import Subject
from conformance.spec.sources import NFTABLES_KEP

NO_REPLACEMENT = "none"
_BETA, _GENERAL = (1, 31, 0), (1, 33, 0)
_DEPRECATED = (1, 35, 0)


def replacement(subject: Subject) -> str:
    """What serves Services in kube-proxy's stead, empty where that is kube-proxy itself or not known."""
    name = subject.facts.proxy_replacement.value
    return "" if name in {None, NO_REPLACEMENT} else str(name)


def replaced(subject: Subject) -> Iterator[Finding]:
    """Who serves Services, where that is not kube-proxy."""
    name = replacement(subject)
    if not name:
        return
    learned = subject.facts.proxy_replacement.source
    if subject.proxy_versions.value is None:
        yield found(Kind.REPLACED, f"{name} serves Services", learned)
    else:
        beside = f"{name} serves Services, and kube-proxy {', '.join(subject.proxy_versions.value)} runs"
        yield found(Kind.REPLACED_BESIDE, beside, f"{learned}; {subject.proxy_versions.source}")


def modes(subject: Subject) -> Iterator[Finding]:
    """What is to be said of the present mode."""
    facts, by_node = subject.facts, subject.modes()
    mode, configured = facts.proxy_mode, facts.configured_mode
    if not subject.mode_known():
        yield found(Kind.MODE_UNKNOWN, "the mode is not known", mode.source)
    if len(set(by_node.values())) > 1:
        each = ", ".join(f"{node} {one.value}" for node, one in sorted(by_node.items()))
        yield found(Kind.MIXED_MODES, each, facts.proxy_modes.source)
    for node, one in sorted(by_node.items()):
        if one is ProxyMode.NFTABLES and len(subject.origins()) > 1:
            yield found(Kind.ALREADY, "nftables", facts.proxy_modes.source, node=node)
    if not subject.moves():
        yield found(Kind.ALREADY, "nftables", mode.source if mode.known else facts.proxy_modes.source)
    if mode.value and configured.value and mode.value is not configured.value:
        evidence = f"it runs in {mode.value.value}, and is told {configured.value.value}"
        yield found(Kind.NOT_TAKEN_UP, evidence, configured.source)
    if subject.configuration.known and not subject.option("mode"):
        yield found(Kind.MODE_BY_DEFAULT, "mode is not set", subject.configuration.source)


def versions(subject: Subject) -> Iterator[Finding]:
    """Whether each version of kube-proxy has the mode, and how ripe."""
    releases, learned = subject.proxy_releases(), subject.proxy_releases_learned()
    if not releases:
        yield found(Kind.VERSION_UNKNOWN, "the version is not known", learned)
    for text, release in releases.items():
        if release < _BETA:
            yield found(Kind.VERSION_TOO_OLD, f"kube-proxy {text}", learned)
        elif release < _GENERAL:
            yield found(Kind.VERSION_BETA, f"kube-proxy {text}", learned, source=NFTABLES_KEP)
    if (
        subject.mode_known()
        and ProxyMode.IPVS in subject.origins()
        and max(releases.values(), default=(0, 0, 0)) >= _DEPRECATED
    ):
        yield found(Kind.IPVS_DEPRECATED, f"kube-proxy {max(releases, key=lambda t: releases[t])}", learned)
