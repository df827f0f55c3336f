"""Which endpoints a Service port may use from this node: readiness, termination, topology and traffic policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.model.addresses import Family
from conformance.model.kube import Endpoint, EndpointSlice, Policy, Service, ServicePort


@dataclass(frozen=True, slots=True)
class Target:
    """One address and port that can serve one Service port."""

    ip: str
    port: int
    local: bool
    ready: bool
    serving: bool
    terminating: bool
    hint_zones: tuple[str, ...] = ()
    hint_nodes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """``ip:port``, brackets around IPv6; kube-proxy's order is that of these texts."""
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    @property
    def usable_while_terminating(self) -> bool:
        """Whether it may serve when nothing ready can (KEP-1669)."""
        return self.serving and self.terminating


@dataclass(frozen=True, slots=True)
class Choice:
    """The targets of each traffic policy; ``anywhere`` is whether any node could serve the port."""

    cluster: tuple[Target, ...] = ()
    local: tuple[Target, ...] = ()
    reachable: tuple[Target, ...] = ()
    anywhere: bool = False


def targets(slices: Iterable[EndpointSlice], port: ServicePort, node: str, family: Family) -> tuple[Target, ...]:
    """Every endpoint of ``family`` that the slices list for ``port``, seen from ``node``, in kube-proxy's order.

    An address in two slices, or reused by a new pod while the old one terminates, counts once: the one that does not
    terminate wins (kubernetes/kubernetes#135593).
    """
    found: dict[str, Target] = {}
    for one in slices:
        if one.family is not family:
            continue
        for listed in one.ports:
            if listed.name != port.name or listed.protocol is not port.protocol or not listed.port:
                continue
            for endpoint in one.endpoints:
                if endpoint.addresses:
                    target = _target(endpoint, listed.port, node)
                    if target.text not in found or not target.terminating:
                        found[target.text] = target
    return tuple(found[text] for text in sorted(found))


def choose(service: Service, has_external: bool, every: tuple[Target, ...], node: str, zone: str) -> Choice:
    """What ``service`` uses of ``every`` target; ``has_external`` is whether it has any address but its ClusterIP."""
    if not every:
        return Choice()
    internal_local = service.internal_policy is Policy.LOCAL
    external_local = service.external_policy is Policy.LOCAL and has_external
    uses_cluster = not internal_local or has_external
    cluster = _for_cluster(every, node, zone) if uses_cluster else ()
    if not (internal_local or external_local):
        return Choice(cluster, (), cluster, bool(cluster))
    local = _ready_or_terminating(t for t in every if t.local)
    anywhere = bool(cluster) or any(t.ready or t.usable_while_terminating for t in every)
    union = {t.text: t for t in (*cluster, *local)}
    return Choice(cluster, local, tuple(union[text] for text in sorted(union)), anywhere)


def _target(endpoint: Endpoint, port: int, node: str) -> Target:
    return Target(
        ip=endpoint.addresses[0],
        port=port,
        local=endpoint.node == node,
        ready=endpoint.ready,
        serving=endpoint.serving,
        terminating=endpoint.terminating,
        hint_zones=endpoint.hint_zones,
        hint_nodes=endpoint.hint_nodes,
    )


def _for_cluster(every: tuple[Target, ...], node: str, zone: str) -> tuple[Target, ...]:
    ready = tuple(t for t in every if t.ready)
    if ready:
        # Hints count only when every ready endpoint has one and at least one is meant for us (KEP-2433, KEP-3015).
        if all(t.hint_nodes for t in ready) and (near := tuple(t for t in ready if node in t.hint_nodes)):
            return near
        if all(t.hint_zones for t in ready) and (near := tuple(t for t in ready if zone in t.hint_zones)):
            return near
    return _ready_or_terminating(every)


def _ready_or_terminating(some: Iterable[Target]) -> tuple[Target, ...]:
    listed = tuple(some)
    return tuple(t for t in listed if t.ready) or tuple(t for t in listed if t.usable_while_terminating)
