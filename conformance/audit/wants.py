"""What the API's objects ask of the elements of one family's table on one node."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

from conformance.audit import frame
from conformance.audit.expressions import networks
from conformance.audit.names import port_object
from conformance.audit.place import Place
from conformance.audit.table import Key
from conformance.audit.walk import Sender
from conformance.model.addresses import Family, contains
from conformance.model.kube import Policy, Service, ServicePort
from conformance.model.source import Source
from conformance.oracle.capture import cluster_ip, external_policy, load_balancer_ips, proxied
from conformance.oracle.endpoints import Backend, Usable, usable
from conformance.spec import sources as cite

Address: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Way:
    """Endpoints, all equally likely (none: nothing is decided), and whether packets to them are masqueraded."""

    endpoints: frozenset[Address]
    masqueraded: bool


@dataclass(frozen=True, slots=True)
class Route:
    """Where a Service port's packets go: those of ``pods``, those of the node's own addresses, and all ``others``."""

    others: Way
    pods: Way | None = None
    local: Way | None = None
    affinity_seconds: int | None = None

    def way(self, sender: Sender) -> Way:
        """The way of packets from ``sender``."""
        if sender.pod and self.pods:
            return self.pods
        return self.local if sender.local and self.local else self.others


@dataclass(frozen=True, slots=True)
class Answer:
    """``reject`` or ``drop``."""

    verdict: str


@dataclass(frozen=True, slots=True)
class Admits:
    """Drops what comes from anywhere but ``ranges``."""

    ranges: frozenset[str]


@dataclass(frozen=True, slots=True)
class Member:
    """The element is in its set; that is all."""


Want: TypeAlias = Route | Answer | Admits | Member


@dataclass(frozen=True, slots=True)
class Claim:
    """What ``object`` wants of an element, one of ``wants``; ``optional`` where it may as well not be there."""

    object: str
    wants: tuple[Want, ...]
    source: Source
    optional: bool = False


@dataclass(slots=True)
class Wants:
    """Claims by container and key; ``claimants`` are the objects that claim an address and port, or a node port."""

    claims: dict[str, dict[Key, list[Claim]]] = field(default_factory=dict)
    claimants: dict[Key, set[str]] = field(default_factory=dict)

    def add(self, container: str, key: Key, claim: Claim) -> None:
        """Another claim."""
        self.claims.setdefault(container, {}).setdefault(key, []).append(claim)
        if container in EXCLUSIVE:
            self.claimants.setdefault(key, set()).add(claim.object)

    def contested(self, key: Key) -> bool:
        """Whether several objects claim what one of them gets; which is not promised."""
        return len(self.claimants.get(key, ())) > 1


# Of an address and port, and of a node port, there is one owner in all of these together.
EXCLUSIVE = {
    frame.SERVICE_IPS: frame.NO_ENDPOINTS,
    frame.NO_ENDPOINTS: frame.SERVICE_IPS,
    frame.NODE_PORTS: frame.NO_ENDPOINT_NODE_PORTS,
    frame.NO_ENDPOINT_NODE_PORTS: frame.NODE_PORTS,
}


def wants(place: Place) -> Wants:
    """Everything that the Services want of the table of ``place``, and the node's own addresses."""
    found = Wants()
    for service in place.state.services.values():
        if proxied(service, place.family):
            _serve(found, place, service)
    for ip in place.node_port_ips or ():
        found.add(frame.NODEPORT_IPS, (ip,), Claim("", (Member(),), cite.NODE_PORT_ADDRESSES))
    return found


def _serve(found: Wants, place: Place, service: Service) -> None:
    own = str(cluster_ip(service, place.family))
    found.add(frame.CLUSTER_IPS, (own,), Claim(service.key, (Member(),), cite.CLUSTER_IP))
    for port in service.ports:
        name = port_object(service, port)
        # Slices that contradict each other can be read in several ways, and each is as good.
        readings = usable(place.state, service, port, place.family, place.node)
        asked = [dict(_elements(_Port(place, service, port, reading), own)) for reading in readings]
        if not readings:
            _leave_open(found, place, service, port)
        for container, key in dict.fromkeys(where for one in asked for where in one):
            each = [one[container, key] for one in asked if (container, key) in one]
            claim = Claim(name, tuple(dict.fromkeys(w for w, _ in each)), each[0][1], len(each) < len(asked))
            found.add(container, key, claim)


def _leave_open(found: Wants, place: Place, service: Service, port: ServicePort) -> None:
    """Slices that contradict each other in more ways than can be looked at: whatever is there is as good."""
    open_claim = Claim(port_object(service, port), (Member(),), cite.SLICE_CACHE_CODE, optional=True)
    protocol = port.protocol.value.lower()
    ips = (str(cluster_ip(service, place.family)), *service.external_ips, *(i.ip for i in service.ingress))
    for container in (frame.SERVICE_IPS, frame.NO_ENDPOINTS, frame.FIREWALL_IPS):
        for ip in _of(place.family, ips):
            found.add(container, (ip, protocol, port.port), open_claim)
    for container in (frame.NODE_PORTS, frame.NO_ENDPOINT_NODE_PORTS):
        found.add(container, (protocol, port.node_port), open_claim)
    for one in place.state.slices_of(service, place.family):
        for ip, number in product((ip for e in one.endpoints for ip in e.addresses), one.ports):
            found.add(frame.HAIRPINS, (ip, ip, protocol, number.port or 0), open_claim)


@dataclass(frozen=True, slots=True)
class _Port:
    """A Service port by one reading of its slices."""

    place: Place
    service: Service
    port: ServicePort
    choice: Usable

    @property
    def protocol(self) -> str:
        return self.port.protocol.value.lower()

    @property
    def external_ips(self) -> tuple[str, ...]:
        return _of(self.place.family, self.service.external_ips)

    @property
    def vips(self) -> tuple[str, ...]:
        return _of(self.place.family, load_balancer_ips(self.place.state.proxy, self.service))

    @property
    def internal_local(self) -> bool:
        return self.service.internal_policy is Policy.LOCAL

    @property
    def external_local(self) -> bool:
        return external_policy(self.service) is Policy.LOCAL


_Asked: TypeAlias = tuple[tuple[str, Key], tuple[Want, Source]]


def _elements(it: _Port, own: str) -> Iterator[_Asked]:
    """The elements of one Service port; a key that comes twice in one container means the later."""
    near, number = it.choice.local.backends, it.port.port
    silence = Answer("drop" if it.choice.somewhere else "reject")
    if it.choice.somewhere and (near or not it.internal_local):
        way = Way(_addresses(near if it.internal_local else it.choice.cluster.backends), masqueraded=False)
        route = Route(way, affinity_seconds=it.service.affinity_seconds)
        yield (frame.SERVICE_IPS, (own, it.protocol, number)), (route, cite.CLUSTER_IP)
    else:
        yield (frame.NO_ENDPOINTS, (own, it.protocol, number)), (silence, cite.VIRTUAL_IPS)
    outside = [(ip, frame.SERVICE_IPS, frame.NO_ENDPOINTS) for ip in (*it.external_ips, *it.vips)]
    keys: list[tuple[Key, str, str]] = [((ip, it.protocol, number), served, empty) for ip, served, empty in outside]
    if it.port.node_port:
        keys.append(((it.protocol, it.port.node_port), frame.NODE_PORTS, frame.NO_ENDPOINT_NODE_PORTS))
    for key, served, empty in keys:
        if it.choice.somewhere:
            yield (served, key), (_external(it), cite.EXTERNAL_POLICY)
        if not it.choice.somewhere or (it.external_local and not near):
            yield (empty, key), (silence, cite.EXTERNAL_POLICY if it.choice.somewhere else cite.VIRTUAL_IPS)
    yield from _hairpins(it, external=bool(keys))
    yield from _firewall(it)


def _external(it: _Port) -> Route:
    seconds, everywhere = it.service.affinity_seconds, _addresses(it.choice.cluster.backends)
    if not it.external_local:
        return Route(Way(everywhere, masqueraded=True), affinity_seconds=seconds)
    return Route(
        Way(_addresses(it.choice.local.backends), masqueraded=False),
        pods=None if it.place.pods is None else Way(everywhere, masqueraded=False),
        local=Way(everywhere, masqueraded=True),
        affinity_seconds=seconds,
    )


def _hairpins(it: _Port, *, external: bool) -> Iterator[_Asked]:
    reachable: set[Backend] = set()
    if external or not it.internal_local:
        reachable |= set(it.choice.cluster.backends)
    if it.internal_local or (external and it.external_local):
        reachable |= set(it.choice.local.backends)
    for backend in reachable:
        if backend.node == it.place.node.name:
            key = (backend.address, backend.address, it.protocol, backend.port)
            yield (frame.HAIRPINS, key), (Member(), cite.NFTABLES_CODE)


def _firewall(it: _Port) -> Iterator[_Asked]:
    ranges = _of(it.place.family, it.service.source_ranges)
    if not ranges or any(ipaddress.ip_network(r).prefixlen == 0 for r in ranges):
        return
    primary = it.place.node.primary(it.place.family)
    # A node reaches an address that is bound to it with that address as source: who admits the node means that too.
    admitted = (*ranges, *(it.vips if primary and any(contains(r, primary) for r in ranges) else ()))
    want = Admits(networks(map(ipaddress.ip_network, admitted)))
    for ip in it.vips:
        yield (frame.FIREWALL_IPS, (ip, it.protocol, it.port.port)), (want, cite.SOURCE_RANGES)


def _addresses(backends: tuple[Backend, ...]) -> frozenset[Address]:
    return frozenset((b.address, b.port) for b in backends)


def _of(family: Family, texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(t for t in dict.fromkeys(texts) if Family.of(t) is family)
