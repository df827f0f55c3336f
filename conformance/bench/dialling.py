"""The data plane: first packets, loads of new connections, and one that stays."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.bench.ground import Ground
from conformance.bench.planning import Dial, Rung, candidates, dials, sorted_out
from conformance.bench.stock import PORT
from conformance.bench.timer import Timer
from conformance.measured.lines import Flow, Latency, Load, Overhead, Seat, Under, Way
from conformance.model.addresses import Protocol

TIMEOUT = 2.0
WARM_UP = 5
"""Dials of each kind before a rung's first round, which nobody counts."""
OVERHEAD = 200
_WIDTH = 16
_LOST_AFTER = 0.9
"""A SYN that was dropped is repeated after a second: by then it is lost."""
_TARGETS = 200


def latencies(ground: Ground, rung: Rung, number: int, count: int, seed: int) -> list[Latency]:
    """One round: ``count`` dials of every way and protocol from every seat, shuffled."""
    found = []
    for seat, timer in ground.seats.items():
        # The same Services in the same order in every place: what differs is the place.
        asked = dials(rung, seat, count, f"{seed} {rung} {number}")
        for (way, protocol), (times, lost) in sorted_out(asked, _dialled(ground, rung, timer, asked)).items():
            size = (rung.services, rung.endpoints)
            found.append(Latency(ground.place.name, *size, number, seat, way, protocol, tuple(times), lost))
    return found


def warm_up(ground: Ground, rung: Rung) -> None:
    """What is there only once (neighbours, routes, caches) is there afterwards."""
    for seat, timer in ground.seats.items():
        _dialled(ground, rung, timer, dials(rung, seat, WARM_UP, "warm up"))


def _dialled(ground: Ground, rung: Rung, timer: Timer, asked: list[Dial]) -> list[int]:
    rng = random.Random(len(asked))
    targets = [(one.protocol.value, *ground.to(one, rng.choice(ground.ends[: rung.endpoints]))) for one in asked]
    took: list[int] = timer.ask("dial", len(asked) * TIMEOUT, dials=targets, timeout=TIMEOUT)["took"]
    return took


def overheads(ground: Ground) -> list[Overhead]:
    """What the agent itself costs at every seat."""
    found = []
    for seat, timer in ground.seats.items():
        own = timer.ask("overhead", 30.0, count=OVERHEAD)
        kept = [tuple(ns for ns in own[kind] if ns >= 0) for kind in ("TCP", "UDP", "clock")]
        found.append(Overhead(ground.place.name, seat, *kept))
    return found


def load(ground: Ground, rung: Rung, under: Under, seconds: float, seed: str) -> Load:
    """As many new connections to ClusterIPs from the client pod as it can open."""
    rng = random.Random(seed)
    every = candidates(rung, Way.CLUSTER_IP, Protocol.TCP)
    targets = [(ground.served[n][0], PORT) for n in rng.sample(every, min(_TARGETS, len(every)))]
    timer = ground.seats[Seat.POD]
    own = timer.ask("load", seconds, to=targets, seconds=seconds, width=_WIDTH, timeout=_LOST_AFTER)
    size, counts = (rung.services, rung.endpoints), (own["opened"], own["refused"], own["lost"])
    return Load(ground.place.name, *size, under, own["took"] / 1e9, *counts)


@contextmanager
def flow(ground: Ground, rung: Rung, under: Under, limit: float, into: list[Flow]) -> Iterator[None]:
    """A connection through the first Service from the client pod for the time of the block; how it went is added."""
    timer = ground.seats[Seat.POD]
    timer.arm("flow", to=(ground.served[0][0], PORT), limit=limit)
    try:
        yield
    finally:
        own = timer.disarm(limit)
        size = (rung.services, rung.endpoints)
        into.append(
            Flow(
                ground.place.name,
                *size,
                under,
                own["took"] / 1e9,
                own["answers"],
                own["longest"],
                own["retransmits"],
                own["ended"],
            )
        )
