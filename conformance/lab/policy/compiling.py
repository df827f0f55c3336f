"""From policies, pods and namespaces to what may come to, and go from, each isolated pod of a node (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from conformance.lab.controllers.selectors import matches
from conformance.lab.policy.view import Json, Pod, World

LAST_PORT = 65535


class Direction(Enum):
    """Which way a policy isolates; the values are the API's ``policyTypes``."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Ports of one protocol, both ends included."""

    protocol: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Allow:
    """What one rule lets pass: ``peers`` are addresses and CIDRs, ``spans`` ports of the receiver; None: any.

    What is in ``excepts`` is no peer.
    """

    peers: frozenset[str] | None = None
    excepts: frozenset[str] = frozenset()
    spans: frozenset[Span] | None = None


@dataclass(frozen=True, slots=True)
class Isolation:
    """The pods at ``addresses`` have only what one of ``allows`` lets pass in this direction."""

    direction: Direction
    addresses: tuple[str, ...]
    allows: tuple[Allow, ...]


def compile_policies(world: World, node: str) -> tuple[Isolation, ...]:
    """Who on ``node`` is isolated how, in a stable order: pods that are isolated alike share an entry."""
    alike: dict[tuple[Direction, frozenset[Allow]], list[str]] = {}
    for pod in world.pods:
        if pod.node != node:
            continue
        for direction in Direction:
            selecting = [p for p in world.policies if selects(p, pod) and isolates(p, direction)]
            if selecting:
                allows = frozenset(a for p in selecting for a in _allows(world, p, pod, direction))
                alike.setdefault((direction, allows), []).extend(pod.addresses)
    found = [
        Isolation(direction, tuple(sorted(addresses)), tuple(sorted(allows, key=_order)))
        for (direction, allows), addresses in alike.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.direction.value, one.addresses)))


def selects(policy: Json, pod: Pod) -> bool:
    """Whether the policy is about the pod."""
    same = policy["metadata"]["namespace"] == pod.namespace
    return same and matches(policy["spec"].get("podSelector") or {}, pod.labels)


def isolates(policy: Json, direction: Direction) -> bool:
    """Whether the pods that the policy is about are isolated in that direction (``policyTypes``, defaulted)."""
    spec = policy["spec"]
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return direction.value in types


def _allows(world: World, policy: Json, pod: Pod, direction: Direction) -> Iterator[Allow]:
    spec, home = policy["spec"], policy["metadata"]["namespace"]
    inward = direction is Direction.INGRESS
    for rule in spec.get("ingress" if inward else "egress") or ():
        peers, ports = rule.get("from" if inward else "to") or (), rule.get("ports") or ()
        if not peers:
            yield from _to_any(world, ports, pod if inward else None)
        selected = [p for peer in peers if "ipBlock" not in peer for p in world.chosen(peer, home)]
        yield from _pods(selected, ports, pod if inward else None)
        for block in (peer["ipBlock"] for peer in peers if "ipBlock" in peer):
            # A name is a pod's: of an address beyond, nobody knows what it calls its ports.
            spans = _spans(ports, pod if inward else None)
            if spans is None or spans:
                yield Allow(frozenset({block["cidr"]}), frozenset(block.get("except") or ()), spans)


def _to_any(world: World, ports: Iterable[Json], receiver: Pod | None) -> Iterator[Allow]:
    spans = _spans(ports, receiver)
    if spans is None or spans:
        yield Allow(None, spans=spans)
    named = [port for port in ports if isinstance(port.get("port"), str)]
    if receiver is None and named:
        yield from _pods(world.pods, named, None)


def _pods(peers: Iterable[Pod], ports: Iterable[Json], receiver: Pod | None) -> Iterator[Allow]:
    """One entry for all peers of which the same ports are meant: names mean what the receiver calls so."""
    alike: dict[frozenset[Span] | None, set[str]] = {}
    for peer in peers:
        spans = _spans(ports, receiver or peer)
        if spans is None or spans:
            alike.setdefault(spans, set()).update(peer.addresses)
    for spans, addresses in alike.items():
        yield Allow(frozenset(addresses), spans=spans)


def _spans(ports: Iterable[Json], receiver: Pod | None) -> frozenset[Span] | None:
    """The numbers of ``ports`` at ``receiver`` (None: an unknown one, without names); None when none is listed."""
    listed = list(ports)
    if not listed:
        return None
    found = set()
    for port in listed:
        protocol, wanted = port.get("protocol") or "TCP", port.get("port")
        if wanted is None:
            found.add(Span(protocol, 0, LAST_PORT))
        elif isinstance(wanted, str):
            numbers = receiver.numbers(wanted, protocol) if receiver else ()
            found.update(Span(protocol, number, number) for number in numbers)
        else:
            found.add(Span(protocol, wanted, port.get("endPort") or wanted))
    return frozenset(found)


def _order(allow: Allow) -> tuple[list[str], list[str], list[Span]]:
    return sorted(allow.peers or ()), sorted(allow.excepts), sorted(allow.spans or ())
