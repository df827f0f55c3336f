"""What the preflight looks at, gathered of a cluster or of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.facts import ask, proxy
from conformance.facts.ask import Api
from conformance.facts.gather import learned, look
from conformance.facts.given import with_given
from conformance.model.facts import Fact
from conformance.model.fields import MalformedObject
from conformance.model.kube import Service
from conformance.model.parse import service
from conformance.model.printable import short
from conformance.preflight import MalformedListing, Subject, drops
from conformance.spec.interplay import known
from conformance.spec.known_issues import KnownIssue

_HINT = "Give what `nft -j list ruleset` printed on the node."


def subject_of(
    api: Api, told: tuple[str, ...], rulesets: Mapping[str, Path], issues: tuple[KnownIssue, ...], today: date
) -> Subject:
    """The cluster behind ``api``; `UsageError` when a fact or ruleset makes no sense, `ClusterError` as `look`."""
    dropping = {node: _drops(path) for node, path in rulesets.items()}
    read = look(api)
    every = ask.many(api, "Service")
    services, unreadable = _services(every.found or ())
    subject = Subject(
        facts=with_given(learned(read), told),
        interplay=known(),
        today=today,
        configuration=Fact(read.configuration.found, read.configuration.where),
        proxy_versions=proxy.versions(read.own),
        services=Fact(None if every.found is None else services, every.where),
        unreadable=unreadable,
        drops=dropping,
        known_issues=issues,
    )
    nodes = (*subject.nodes(), *subject.windows())
    strange = next((node for node in dropping if nodes and node not in nodes), None)
    if strange is not None:
        raise UsageError(f"--ruleset: the cluster has no node '{strange}'.", f"It has {', '.join(nodes)}.")
    return subject


def rulesets(texts: Iterable[str]) -> dict[str, Path]:
    """The files in ``NODE=FILE`` texts; `UsageError` for one that is none."""
    found = {}
    for text in texts:
        node, equals, path = text.partition("=")
        if not (node and equals and path):
            raise UsageError(f"--ruleset {text!r} is not NODE=FILE.", _HINT)
        found[node] = Path(path)
    return found


def _services(objects: Iterable[dict[str, Any]]) -> tuple[tuple[Service, ...], dict[str, str]]:
    services, unreadable = [], {}
    for obj in objects:
        try:
            services.append(service(obj))
        except MalformedObject as fault:
            meta = obj.get("metadata") or {}
            unreadable[short(f"{meta.get('namespace')}/{meta.get('name')}")] = short(str(fault))
    return tuple(services), unreadable


def _drops(path: Path) -> tuple[str, ...]:
    try:
        return drops(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(f"{path} cannot be read: {fault}.", _HINT) from None
    except MalformedListing as fault:
        raise UsageError(f"{path} is no ruleset: {fault}.", _HINT) from None
