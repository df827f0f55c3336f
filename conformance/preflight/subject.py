"""What the preflight looks at: facts, kube-proxy's configuration and the Services, as far as they could be learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode
from conformance.model.facts import GIVEN, Fact, Facts
from conformance.model.kube import Service
from conformance.model.release import Release, release
from conformance.oracle.capture import proxied
from conformance.spec.interplay import Interplay
from conformance.spec.known_issues import KnownIssue


@dataclass(frozen=True, slots=True)
class Subject:
    """One cluster.

    ``configuration`` is a KubeProxyConfiguration as anybody may have written it. ``proxy_versions`` are those of the
    kube-proxies that run. ``services`` are those that could be read, ``unreadable`` the others, each with its fault.
    ``drops`` are by node the places in its ruleset that drop what nobody accepts, of the nodes that were looked at.
    """

    facts: Facts
    interplay: Interplay
    today: date
    configuration: Fact[Mapping[str, Any]] = field(default_factory=Fact)
    proxy_versions: Fact[tuple[str, ...]] = field(default_factory=Fact)
    services: Fact[tuple[Service, ...]] = field(default_factory=Fact)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    drops: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known_issues: tuple[KnownIssue, ...] = ()

    def modes(self) -> Mapping[str, ProxyMode]:
        """The modes of the nodes that have told one."""
        return self.facts.modes()

    def origins(self) -> frozenset[ProxyMode]:
        """The modes that the cluster would leave, nftables if it is there already; all others when none is known."""
        return self._told() or frozenset(ProxyMode) - {ProxyMode.NFTABLES}

    def mode_known(self) -> bool:
        """Whether `origins` are those that the cluster has told."""
        return bool(self._told())

    def moves(self) -> bool:
        """Whether any node would leave another mode, as far as is known."""
        return self.origins() != {ProxyMode.NFTABLES}

    def nodes(self) -> tuple[str, ...]:
        """The Linux nodes that anything is known of, by name."""
        facts = self.facts
        of_all = (facts.kernels, facts.kubelets, facts.systems)
        named = {n.name for n in facts.nodes.otherwise(())}.union(*(fact.otherwise({}) for fact in of_all))
        return tuple(sorted(named - set(self.windows())))

    def windows(self) -> tuple[str, ...]:
        """The nodes whose operating system or label says Windows, by name."""
        labelled = (n.name for n in self.facts.nodes.otherwise(()) if n.labels.get("kubernetes.io/os") == "windows")
        systems = self.facts.systems.otherwise({}).items()
        return tuple(sorted({*labelled, *(node for node, system in systems if system.startswith("Windows"))}))

    def leaving(self) -> frozenset[str]:
        """The Linux nodes that would leave another mode, as far as is known."""
        modes, others = self.modes(), self.moves()
        return frozenset(
            node for node in self.nodes() if (modes[node] is not ProxyMode.NFTABLES if node in modes else others)
        )

    def served(self) -> tuple[Service, ...]:
        """The Services that kube-proxy serves, by their keys."""
        every = sorted(self.services.otherwise(()), key=lambda s: s.key)
        return tuple(s for s in every if any(proxied(s, family) for family in Family))

    def proxy_releases(self) -> Mapping[str, Release]:
        """kube-proxy's versions as numbers; the API server's where the images do not tell, or the user says it."""
        told = () if self._version_said() else self.proxy_versions.otherwise(())
        found = {text: release(text) for text in told or (self.facts.version.otherwise(""),)}
        return {text: number for text, number in found.items() if number}

    def proxy_releases_learned(self) -> str:
        """Where `proxy_releases` was learned."""
        images = bool(self.proxy_versions.value) and not self._version_said()
        return self.proxy_versions.source if images else self.facts.version.source

    def option(self, *path: str) -> Any:  # noqa: ANN401  as anybody may have written it
        """What the configuration holds at ``path``, None where it ends."""
        plain: Any = self.configuration.value
        for step in path:
            plain = plain.get(step) if isinstance(plain, Mapping) else None
        return plain

    def _version_said(self) -> bool:
        return self.facts.version.source == GIVEN

    def _told(self) -> frozenset[ProxyMode]:
        mode = self.facts.proxy_mode.value
        return frozenset(self.modes().values()) | ({mode} if mode else set())
