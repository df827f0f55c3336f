"""Benches made up for tests: what was measured is drawn from distributions that the test knows."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from conformance.measured.bench import Bench
from conformance.measured.lines import SCHEMA, Change, Footer, Header, Latency, Line, Place, Programmed, Seat, Way
from conformance.model.addresses import Family, Protocol

PLACES = ("nftables", "iptables")
ROUNDS, DIALS = 15, 10


def header(*places: str) -> Header:
    made = tuple(Place(name, name, "kube-proxy v1.36.2", False, ("node-a", "node-b")) for name in places)
    return Header(SCHEMA, "0.1.0", "2026-11-27T20:00:00+00:00", 7, Family.IPV4, made)


def bench(
    factors: Mapping[str, float], seed: int, *, machine: float = 1.0, services: tuple[int, ...] = (100,)
) -> Bench:
    """Dials to a ClusterIP take ``factors`` of a place times its direct ones; ``machine`` slows all of it down."""
    rng, lines = random.Random(seed), list[Line]()
    for count in services:
        for number in range(ROUNDS):
            luck = rng.uniform(0.95, 1.05)  # shared by all of a round
            for place, factor in factors.items():
                for way, times in ((Way.LOOPBACK, 0.5), (Way.DIRECT, 1.0), (Way.CLUSTER_IP, factor)):
                    took = [round(20_000 * machine * luck * times * rng.lognormvariate(0, 0.1)) for _ in range(DIALS)]
                    lines.append(Latency(place, count, 1, number, Seat.POD, way, Protocol.TCP, tuple(took)))
        for _ in range(10):
            for place in factors:
                seconds = machine * rng.uniform(0.1, 0.2)
                lines.append(Programmed(place, count, 1, Change.ENDPOINT, "node-a", seconds, 0.0))
    return Bench(header(*factors), tuple(lines), Footer("2026-11-27T20:10:00+00:00", 600.0, True))


def losing(made: Bench, rounds: int, *, all_of_it: bool = False, changes: int = 0) -> Bench:
    """The same, with a dial lost in the first rounds of the ClusterIP, or all of them, and changes that nobody saw."""
    lines = list[Line]()
    seen = 0
    for line in made.lines:
        if isinstance(line, Latency) and line.way is Way.CLUSTER_IP and line.round < rounds:
            kept = () if all_of_it else line.nanoseconds[1:]
            lines.append(replace(line, nanoseconds=kept, lost=len(line.nanoseconds) - len(kept)))
        elif isinstance(line, Programmed):
            lines.append(replace(line, seconds=None) if seen < changes else line)
            seen += 1
        else:
            lines.append(line)
    return replace(made, lines=tuple(lines))
