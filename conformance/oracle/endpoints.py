"""Which endpoints a node may choose: conditions, the fall-back to terminating ones, hints, and what is local."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from math import prod

from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState
from conformance.model.kube import Endpoint, EndpointSlice, Node, Service, ServicePort
from conformance.model.source import Reason
from conformance.oracle.traits import Trait, has
from conformance.spec import sources as cite

HEADLESS_LABEL = "service.kubernetes.io/headless"
MOST_VARIANTS = 64


@dataclass(frozen=True, slots=True, order=True)
class Backend:
    """One address and port behind a Service port, as kube-proxy keeps it."""

    address: str
    port: int
    node: str
    ready: bool
    serving: bool
    terminating: bool
    hint_zones: tuple[str, ...] = ()
    hint_nodes: tuple[str, ...] = ()

    @property
    def draining(self) -> bool:
        """Terminating, but still serving."""
        return self.serving and self.terminating and not self.ready


@dataclass(frozen=True, slots=True)
class Choice:
    """Backends that one policy may choose on one node, and why these."""

    backends: tuple[Backend, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Usable:
    """What a node may choose under policy Cluster and under policy Local; ``somewhere``: any node has a usable one."""

    cluster: Choice
    local: Choice
    somewhere: bool


def variants_of(
    state: ClusterState, service: Service, port: ServicePort, family: Family
) -> tuple[tuple[Backend, ...], ...]:
    """Every backend of a Service port in address order, as often as slices that contradict each other can be read.

    A slice port belongs to the Service port of its name and protocol. Of two endpoints with one address the one that is
    not terminating counts: the pod network may give the address away before the old pod is gone. Between two that both
    are, or both are not, kube-proxy takes what it happens to see last. There are never more than ``MOST_VARIANTS``
    readings; where there would be, there is none.
    """
    about = ("variants", service.key, port, family)
    return state.once(about, lambda: _variants(state, service, port, family))


def _variants(
    state: ClusterState, service: Service, port: ServicePort, family: Family
) -> tuple[tuple[Backend, ...], ...]:
    found: dict[tuple[str, int], set[Backend]] = {}
    for one in state.slices_of(service, family):
        for number in _numbers(one, port):
            for endpoint in one.endpoints:
                if endpoint.addresses:
                    backend = _backend(endpoint, number)
                    found.setdefault((backend.address, number), set()).add(backend)
    rivals = [sorted({b for b in them if not b.terminating} or them) for them in found.values()]
    if prod(len(them) for them in rivals) > MOST_VARIANTS:
        return ()
    return tuple(sorted(tuple(sorted(them)) for them in product(*rivals)))


def usable(state: ClusterState, service: Service, port: ServicePort, family: Family, node: Node) -> tuple[Usable, ...]:
    """What ``node`` may choose for ``port``, per policy, by every reading of the slices."""
    return state.once(
        ("usable", service.key, port, family, node.name),
        lambda: tuple(_usable(state, every, node) for every in variants_of(state, service, port, family)),
    )


def _usable(state: ClusterState, every: tuple[Backend, ...], node: Node) -> Usable:
    fallback = has(state.proxy, Trait.TERMINATING_FALLBACK)
    cluster = _cluster(state, every, node, fallback)
    here = _prefer_ready((b for b in every if b.node == node.name), fallback)
    found = f"usable on {node.name}: {_names(here)}" if here else f"no usable endpoint is on {node.name}"
    reasons = [Reason(found, cite.TOPOLOGY_CODE)]
    if here and not here[0].ready:
        reasons.insert(0, Reason(f"no endpoint on {node.name} is ready", cite.TERMINATING_ENDPOINTS))
    return Usable(cluster, Choice(here, tuple(reasons)), bool(_prefer_ready(every, fallback)))


def _cluster(state: ClusterState, every: tuple[Backend, ...], node: Node, fallback: bool) -> Choice:
    ready = tuple(b for b in every if b.ready)
    if not ready:
        draining = _prefer_ready(every, fallback)
        if not draining:
            return Choice((), (Reason("the Service has no usable endpoint anywhere", cite.READY),))
        text = f"no endpoint is ready; terminating ones that still serve take over: {_names(draining)}"
        return Choice(draining, (Reason(text, cite.TERMINATING_ENDPOINTS),))
    everywhere = Reason(f"ready endpoints: {_names(ready)}", cite.READY)
    if has(state.proxy, Trait.NODE_HINTS) and all(b.hint_nodes for b in ready):
        near = tuple(b for b in ready if node.name in b.hint_nodes)
        if near:
            return Choice(near, (everywhere, Reason(f"hints give {node.name} {_names(near)}", cite.PREFER_SAME_KEP)))
    if all(b.hint_zones for b in ready):
        near = tuple(b for b in ready if node.zone in b.hint_zones)
        if near:
            text = f"hints give {node.name}'s zone {node.zone} {_names(near)}"
            return Choice(near, (everywhere, Reason(text, cite.TOPOLOGY_HINTS_KEP)))
        return Choice(ready, (everywhere, Reason(f"no hint is for {node.name}'s zone: ignored", cite.HINTS)))
    return Choice(ready, (everywhere,))


def _prefer_ready(backends: Iterable[Backend], fallback: bool) -> tuple[Backend, ...]:
    them = tuple(backends)
    return tuple(b for b in them if b.ready) or tuple(b for b in them if fallback and b.draining)


def _numbers(one: EndpointSlice, port: ServicePort) -> tuple[int, ...]:
    # kube-proxy ignores a slice port without a number ("all ports", KEP-752) and slices of headless Services.
    if HEADLESS_LABEL in one.labels:
        return ()
    return tuple(p.port for p in one.ports if p.port and p.name == port.name and p.protocol is port.protocol)


def _backend(endpoint: Endpoint, number: int) -> Backend:
    return Backend(
        address=endpoint.addresses[0],
        port=number,
        node=endpoint.node,
        ready=endpoint.ready,
        serving=endpoint.serving,
        terminating=endpoint.terminating,
        hint_zones=tuple(sorted(set(endpoint.hint_zones))),
        hint_nodes=tuple(sorted(set(endpoint.hint_nodes))),
    )


def _names(backends: Iterable[Backend]) -> str:
    return ", ".join(f"{b.address} on {b.node or 'no node'}" for b in backends)
