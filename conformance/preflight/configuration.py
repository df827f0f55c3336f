"""kube-proxy's options: which of them the switch loses, and what ipvs mode alone does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.model.cluster import ProxyMode
from conformance.model.printable import short
from conformance.preflight.checks import found
from conformance.preflight.finding import Finding, Kind, Severity
from conformance.preflight.subject import Subject

_IPTABLES, _IPVS = ProxyMode.IPTABLES, ProxyMode.IPVS
_UNSET = ("", "none", "null", "false", "0", "0s", "[]", "{}")
_RANDOM = ("rr", "")
"""The default gives each endpoint its share, as chance does."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of the ``modes`` that read it, ``plain`` its default; ``instead`` is its counterpart, if it has one."""

    section: str
    name: str
    modes: frozenset[ProxyMode]
    instead: bool
    severity: Severity
    plain: str = ""
    loss: str = ""

    @property
    def path(self) -> str:
        """As the configuration spells it."""
        return f"{self.section}.{self.name}"


OPTIONS = (
    Option("iptables", "masqueradeBit", frozenset({_IPTABLES, _IPVS}), True, Severity.WARNING, "14"),
    Option("iptables", "masqueradeAll", frozenset({_IPTABLES, _IPVS}), True, Severity.WARNING),
    Option("iptables", "syncPeriod", frozenset({_IPTABLES}), True, Severity.NOTE, "30s"),
    Option("iptables", "minSyncPeriod", frozenset({_IPTABLES}), True, Severity.NOTE, "1s"),
    Option("ipvs", "syncPeriod", frozenset({_IPVS}), True, Severity.NOTE, "30s"),
    Option("ipvs", "minSyncPeriod", frozenset({_IPVS}), True, Severity.NOTE),
    Option(
        "ipvs", "excludeCIDRs", frozenset({_IPVS}), False, Severity.WARNING,
        loss="kube-proxy flushes the whole ipvs table at the switch, entries of others too",
    ),
    Option(
        "ipvs", "strictARP", frozenset({_IPVS}), False, Severity.NOTE,
        loss="there is no kube-ipvs0 any more to be strict about; MetalLB needs it in ipvs mode only",
    ),
    Option("ipvs", "tcpTimeout", frozenset({_IPVS}), False, Severity.WARNING, loss="see conntrack's own time-outs"),
    Option("ipvs", "tcpFinTimeout", frozenset({_IPVS}), False, Severity.WARNING, loss="see conntrack's own time-outs"),
    Option("ipvs", "udpTimeout", frozenset({_IPVS}), False, Severity.WARNING, loss="see conntrack.udpTimeout"),
)  # fmt: skip


def configuration(subject: Subject) -> Iterator[Finding]:
    """What is lost of kube-proxy's configuration."""
    if not subject.configuration.known:
        yield found(Kind.CONFIGURATION_UNKNOWN, "the configuration is not known", subject.configuration.source)
        return
    for option in OPTIONS:
        value = _value(subject, option.section, option.name)
        if not option.modes & subject.origins() or value in {*_UNSET, option.plain}:
            continue
        if not option.instead:
            yield _ignored(subject, option, f"{option.path} is {value}; {option.loss}")
            continue
        kept = _value(subject, "nftables", option.name)
        if kept != value:
            kept = option.plain if kept in _UNSET else kept
            evidence = f"{option.path} is {value}, nftables.{option.name} is {kept or 'not set'}"
            yield _ignored(subject, option, evidence)


def ipvs(subject: Subject) -> Iterator[Finding]:
    """What ipvs mode does besides, and nftables mode does not."""
    if ProxyMode.IPVS not in subject.origins():
        return
    scheduler = _value(subject, "ipvs", "scheduler")
    if subject.configuration.known and scheduler not in {*_UNSET, *_RANDOM}:
        yield found(Kind.IPVS_SCHEDULER, f"ipvs.scheduler is {scheduler}", subject.configuration.source)
    if subject.mode_known():
        yield found(Kind.IPVS_CONNECTIONS, "nodes leave mode ipvs", subject.facts.proxy_mode.source)


def _value(subject: Subject, section: str, name: str) -> str:
    """An option as a word, lower case where YAML has several spellings."""
    word = short(str(subject.option(section, name)))
    return word.lower() if word.lower() in {*_UNSET, "true"} else word


def _ignored(subject: Subject, option: Option, evidence: str) -> Finding:
    return found(
        Kind.OPTION_IGNORED, evidence, subject.configuration.source, about=option.path, severity=option.severity
    )
