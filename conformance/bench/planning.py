"""What is measured in which order. Pure; every draw is under a seed.

Places take turns A B B A A B B A ..., so that what drifts (heat, clocks, a neighbour) meets all of them alike.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from conformance.measured.lines import Seat, Way
from conformance.model.addresses import Protocol

T = TypeVar("T")
PROTOCOLS = (Protocol.TCP, Protocol.UDP)
NODE_PORTS_EVERY = 20
"""Of so many pairs of Services one has node ports: there are only 2,768 of those in a cluster."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One size of cluster: ``services`` Services of one port each with ``endpoints`` endpoints each."""

    services: int
    endpoints: int


@dataclass(frozen=True, slots=True)
class Dial:
    """One dial: ``service`` is the number of the Service behind which the endpoint is dialled."""

    way: Way
    protocol: Protocol
    service: int


def rungs(services: Sequence[int], endpoints: Sequence[int]) -> Iterator[Rung]:
    """The ladder: for each number of endpoints from few Services to many."""
    return (Rung(count, ends) for ends, count in product(sorted(set(endpoints)), sorted(set(services))))


def turns(places: Sequence[T], rounds: int) -> Iterator[tuple[int, T]]:
    """(round, place): every place once a round, in the other order every second round."""
    for number in range(rounds):
        yield from ((number, place) for place in (places if number % 2 == 0 else reversed(places)))


def protocol_of(service: int) -> Protocol:
    """Services alternate: even ones TCP, odd ones UDP."""
    return PROTOCOLS[service % 2]


def has_node_port(service: int) -> bool:
    """Whether a Service has a node port: 5 % of them, the first of each protocol in any case."""
    return service // 2 % NODE_PORTS_EVERY == 0


def candidates(rung: Rung, way: Way, protocol: Protocol) -> Sequence[int]:
    """The Services that can be dialled so."""
    mine = range(PROTOCOLS.index(protocol), rung.services, 2)
    return [n for n in mine if has_node_port(n)] if way is Way.NODE_PORT else mine


def dials(rung: Rung, seat: Seat, count: int, seed: str) -> list[Dial]:
    """``count`` dials of every way and protocol, each to a Service drawn at random, in one shuffled order.

    A node's loopback is left out: kube-proxy's rules are on it, too.
    """
    rng = random.Random(f"{seed} {seat.value}")
    ways = [way for way in Way if way is not Way.LOOPBACK or seat is Seat.POD]
    drawn = [
        Dial(way, protocol, rng.choice(among))
        for way, protocol in product(ways, PROTOCOLS)
        if (among := candidates(rung, way, protocol))
        for _ in range(count)
    ]
    rng.shuffle(drawn)
    return drawn


def sorted_out(asked: Sequence[Dial], answers: Sequence[int]) -> Mapping[tuple[Way, Protocol], tuple[list[int], int]]:
    """Nanoseconds, and how many were lost (a negative answer), by way and protocol."""
    found: dict[tuple[Way, Protocol], tuple[list[int], int]] = {}
    for dial, answer in zip(asked, answers, strict=True):
        times, lost = found.get((dial.way, dial.protocol), ([], 0))
        found[dial.way, dial.protocol] = ([*times, answer] if answer >= 0 else times, lost + (answer < 0))
    return found
