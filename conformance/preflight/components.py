"""Other components beside kube-proxy's nftables mode, by what their own side says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from conformance.model.facts import Fact
from conformance.model.release import release, told
from conformance.model.source import Source, SourceKind
from conformance.preflight.checks import found
from conformance.preflight.finding import Finding, Kind, Severity
from conformance.preflight.subject import Subject
from conformance.spec.interplay import Component, Part, Verdict

CACHE = "node-local-dns"
_JOINED = " + "


def components(subject: Subject) -> Iterator[Finding]:
    """Plugin, policy engine, DNS cache and operating systems, each against the file of interplay facts."""
    yield from _plugins(subject)
    yield from _policy(subject)
    yield from _cache(subject)
    for node in subject.nodes():
        yield from _system(subject, node)


def _plugins(subject: Subject) -> Iterator[Finding]:
    fact, version = subject.facts.cni, subject.facts.cni_version
    if fact.value is None:
        yield found(Kind.COMPONENT_UNKNOWN, "the CNI plugin is not known", fact.source, about="cni")
        return
    names = fact.value.split(_JOINED)
    for name in names:
        component = subject.interplay.component(Part.CNI, name)
        if component is None:
            evidence = f"nothing is known of {name} beside nftables mode"
            yield found(Kind.COMPONENT_UNKNOWN, evidence, fact.source, about=name)
            continue
        # Of several plugins the facts have each one's version and dataplane behind its name.
        own = version if len(names) == 1 else _of(version, f"{name} ")
        plane = subject.facts.cni_dataplane if len(names) == 1 else _of(subject.facts.cni_dataplane, f"{name}: ")
        yield from _judged(subject, component, fact.source, own, plane)


def _of(fact: Fact[str], prefix: str) -> Fact[str]:
    if fact.value is None:
        return fact
    own = next((part.removeprefix(prefix) for part in fact.value.split(_JOINED) if part.startswith(prefix)), None)
    return Fact(own, fact.source)


def _policy(subject: Subject) -> Iterator[Finding]:
    """Engines that are not the plugin itself, of which `_plugins` has spoken."""
    fact = subject.facts.policy_engine
    plugins = (subject.facts.cni.value or "").split(_JOINED)
    for name in (fact.value or "").split(_JOINED):
        if not name or name in plugins or (name == "calico" and "canal" in plugins):
            continue
        component = subject.interplay.component(Part.POLICY, name)
        if component is None:
            evidence = f"nothing is known of the policy engine {name} beside nftables mode"
            yield found(Kind.COMPONENT_UNKNOWN, evidence, fact.source, about=name)
        else:
            unknown: Fact[str] = Fact(None, "the facts have no version of policy engines")
            yield from _judged(subject, component, fact.source, unknown, unknown)


def _cache(subject: Subject) -> Iterator[Finding]:
    fact = subject.facts.node_local_dns
    component = subject.interplay.component(Part.DNS, CACHE)
    if fact.value is None:
        yield found(Kind.COMPONENT_UNKNOWN, "whether nodes cache DNS is not known", fact.source, about=CACHE)
    elif fact.value and component:
        unknown: Fact[str] = Fact(None, "not asked")
        yield from _judged(subject, component, fact.source, unknown, unknown)


def _system(subject: Subject, node: str) -> Iterator[Finding]:
    fact = subject.facts.systems
    system = fact.otherwise({}).get(node, "")
    for component in subject.interplay.components:
        if component.part is Part.SYSTEM and system.startswith(component.name):
            yield from _judged(subject, component, fact.source, Fact(system, fact.source), Fact(), node=node)


def _judged(
    subject: Subject, component: Component, learned: str, version: Fact[str], plane: Fact[str], *, node: str = ""
) -> Iterator[Finding]:
    verdict, seen, where = component.verdict, [component.name], [learned]
    lacking = ""
    if component.since:
        number = release(version.value)
        where.append(version.source)
        if number is None:
            lacking = f"whether it is {told(component.since)} or newer is not known"
        else:
            seen.append(str(version.value))
            if number < component.since:
                verdict, lacking = component.otherwise, ""
    if component.dataplane and verdict is not Verdict.BLOCKER:
        where.append(plane.source)
        if plane.value is None:
            lacking = lacking or f"whether its dataplane is {component.dataplane} is not known"
        elif not plane.value.startswith(component.dataplane):
            seen.append(f"dataplane {plane.value}")
            verdict, lacking = component.otherwise, ""
    if verdict is Verdict.WORKS and not lacking and subject.today > component.review:
        lacking = f"what is known of it is of {component.as_of} and to be looked at again"
    severity = Severity.UNKNOWN if lacking else severity_of(verdict)
    if severity is None:
        return
    said = f"{', '.join(seen)}: {component.told} (as of {component.as_of})"
    yield found(
        Kind.COMPONENT,
        f"{said}; {lacking}" if lacking else said,
        "; ".join(dict.fromkeys(where)),
        node=node,
        about=component.name,
        severity=severity,
        remedy=component.remedy,
        source=Source(SourceKind.DOC, component.name, component.link),
    )


def severity_of(verdict: Verdict) -> Severity | None:
    """How heavy a verdict is; None where all is well."""
    match verdict:
        case Verdict.WORKS:
            return None
        case Verdict.WARNING:
            return Severity.WARNING
        case Verdict.BLOCKER:
            return Severity.BLOCKER
        case Verdict.UNTOLD:
            return Severity.UNKNOWN
    assert_never(verdict)
