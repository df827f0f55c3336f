"""What is known of a cluster, each with where it was learned; what could not be learned is unknown, never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from typing import Any, Generic, TypeVar

from conformance.model.addresses import Family
from conformance.model.cluster import DetectLocal, ProxyConfig, ProxyMode
from conformance.model.kube import Node

T = TypeVar("T")
GIVEN = "given"
"""The source of a fact that the user has said: nothing that is learned later replaces it."""


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """An answer and its source; ``value`` None is unknown, and ``source`` then says why."""

    value: T | None = None
    source: str = "not asked"

    @property
    def known(self) -> bool:
        """Whether there is an answer."""
        return self.value is not None

    def otherwise(self, value: T) -> T:
        """The answer, or ``value`` where there is none."""
        return value if self.value is None else self.value


def unknown(why: str) -> Fact[Any]:
    """A question without an answer."""
    return Fact(None, why)


@dataclass(frozen=True, slots=True)
class Facts:
    """One cluster; a fact that is a mapping is by node. ``local_addresses`` are those beyond InternalIPs.

    `conformance.facts.catalogue` says of each what it asks and where it is learned.
    """

    version: Fact[str] = field(default_factory=Fact)
    nodes: Fact[tuple[Node, ...]] = field(default_factory=Fact)
    zones: Fact[Mapping[str, str]] = field(default_factory=Fact)
    unschedulable: Fact[tuple[str, ...]] = field(default_factory=Fact)
    kubelets: Fact[Mapping[str, str]] = field(default_factory=Fact)
    systems: Fact[Mapping[str, str]] = field(default_factory=Fact)
    kernels: Fact[Mapping[str, str]] = field(default_factory=Fact)
    runtimes: Fact[Mapping[str, str]] = field(default_factory=Fact)
    nft_versions: Fact[Mapping[str, str]] = field(default_factory=Fact)
    host_nft_versions: Fact[Mapping[str, str]] = field(default_factory=Fact)
    families: Fact[tuple[Family, ...]] = field(default_factory=Fact)
    service_cidrs: Fact[tuple[str, ...]] = field(default_factory=Fact)
    cluster_cidrs: Fact[tuple[str, ...]] = field(default_factory=Fact)
    proxy_mode: Fact[ProxyMode] = field(default_factory=Fact)
    proxy_modes: Fact[Mapping[str, str]] = field(default_factory=Fact)
    kernel_modes: Fact[Mapping[str, str]] = field(default_factory=Fact)
    foreign_drops: Fact[Mapping[str, str]] = field(default_factory=Fact)
    configured_mode: Fact[ProxyMode] = field(default_factory=Fact)
    detect_local: Fact[DetectLocal] = field(default_factory=Fact)
    node_port_addresses: Fact[tuple[str, ...]] = field(default_factory=Fact)
    masquerade_all: Fact[bool] = field(default_factory=Fact)
    localhost_node_ports: Fact[bool] = field(default_factory=Fact)
    proxy_replacement: Fact[str] = field(default_factory=Fact)
    cni: Fact[str] = field(default_factory=Fact)
    cni_version: Fact[str] = field(default_factory=Fact)
    cni_dataplane: Fact[str] = field(default_factory=Fact)
    cni_agent: Fact[str] = field(default_factory=Fact)
    policy_engine: Fact[str] = field(default_factory=Fact)
    load_balancer: Fact[str] = field(default_factory=Fact)
    dns: Fact[tuple[str, ...]] = field(default_factory=Fact)
    dns_server: Fact[str] = field(default_factory=Fact)
    dns_version: Fact[str] = field(default_factory=Fact)
    node_local_dns: Fact[bool] = field(default_factory=Fact)
    admission: Fact[str] = field(default_factory=Fact)
    may_exec: Fact[bool] = field(default_factory=Fact)
    local_addresses: Fact[Mapping[str, tuple[str, ...]]] = field(default_factory=Fact)
    pod_masquerade: Fact[bool] = field(default_factory=Fact)
    host_ports: Fact[bool] = field(default_factory=Fact)
    policy_enforced: Fact[bool] = field(default_factory=Fact)

    def items(self) -> Iterator[tuple[str, Fact[Any]]]:
        """Every fact by its name, in the order above."""
        return ((f.name, getattr(self, f.name)) for f in fields(self))

    def learned(self, **found: Fact[Any]) -> Facts:
        """These facts with what was ``found`` later; what the user has given stays."""
        return replace(self, **{name: fact for name, fact in found.items() if getattr(self, name).source != GIVEN})

    def proxy(self) -> ProxyConfig:
        """kube-proxy's configuration, its own defaults where a field is unknown."""
        default = ProxyConfig()
        return ProxyConfig(
            mode=self.proxy_mode.otherwise(default.mode),
            version=minor(self.version.value) or default.version,
            detect_local=self.detect_local.otherwise(default.detect_local),
            cluster_cidrs=self.cluster_cidrs.otherwise(()),
            node_port_addresses=self.node_port_addresses.otherwise(()),
            masquerade_all=self.masquerade_all.otherwise(default.masquerade_all),
            service_cidrs=self.service_cidrs.otherwise(()),
            localhost_node_ports=self.localhost_node_ports.otherwise(default.localhost_node_ports),
        )

    def modes(self) -> Mapping[str, ProxyMode]:
        """The modes of the nodes whose kube-proxy has told one that there is."""
        known = {mode.value: mode for mode in ProxyMode}
        return {node: known[word] for node, word in self.proxy_modes.otherwise({}).items() if word in known}

    def to_json(self) -> str:
        """One line of JSON, e.g. for xdist's ``workerinput``."""
        return json.dumps(asdict(self), default=_plain, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Facts:
        """The inverse of `to_json`; ``ValueError``, ``KeyError`` or ``TypeError`` when ``text`` is none of ours."""
        plain: dict[str, dict[str, Any]] = json.loads(text)
        return cls(
            **{
                name: Fact(None if fact["value"] is None else _READ.get(name, _same)(fact["value"]), fact["source"])
                for name, fact in plain.items()
            }
        )


def minor(version: str | None) -> tuple[int, int] | None:
    """``v1.36.2+k3s1`` as (1, 36); None when it is no version."""
    words = (version or "").lstrip("v").split(".")
    if len(words) < 2 or not words[0].isdigit():
        return None
    digits = "".join(c for c in words[1] if c.isdigit())
    return (int(words[0]), int(digits)) if digits else None


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _same(value: Any) -> Any:  # noqa: ANN401  JSON in, JSON out
    return value


def _node(plain: dict[str, Any]) -> Node:
    sequences = {k: tuple(plain[k]) for k in ("addresses", "local", "pod_cidrs")}
    return Node(**{**plain, **sequences})


_READ: dict[str, Callable[[Any], Any]] = {
    "nodes": lambda v: tuple(_node(n) for n in v),
    "unschedulable": tuple,
    "families": lambda v: tuple(Family(f) for f in v),
    "service_cidrs": tuple,
    "cluster_cidrs": tuple,
    "proxy_mode": ProxyMode,
    "configured_mode": ProxyMode,
    "detect_local": DetectLocal,
    "node_port_addresses": tuple,
    "dns": tuple,
    "local_addresses": lambda v: {node: tuple(ips) for node, ips in v.items()},
}
