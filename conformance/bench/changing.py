"""The control plane: changes of the API, and when nodes act on them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from conformance.arrange.disturbing import Disturbing
from conformance.arrange.waits import Wait, converge
from conformance.bench import stock, weighing
from conformance.bench.ground import Ground
from conformance.bench.planning import Rung, protocol_of
from conformance.bench.stock import JSON, PORT
from conformance.bench.timer import Target
from conformance.cluster.failures import ApiRefused
from conformance.measured.lines import Change, Programmed, Restart
from conformance.model.addresses import Family, Protocol
from conformance.model.case import Disruption

LIMIT = 180.0
"""Seconds that a node has to act on one change; at 30,000 Services kube-proxy took 40 in nftables mode."""
RESTARTED = 600.0
SYNCED = Wait("kube-proxy to count a sync of each family", 600, 0.2, hint="Are its metrics at 127.0.0.1:10249?")
_AT_ONCE = 8
_APART = (0.8, 1.6)
"""Seconds."""
_TAKEN = (409, 422)
"""What an API server says to a ClusterIP that somebody has."""


@dataclass
class Churn:
    """Changes of Services, in an order drawn at random, while it lasts."""

    done: int = 0
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0

    @property
    def rate(self) -> float:
        """Changes a second that the API took."""
        return self.done / max((self.ended or time.monotonic()) - self.began, 1e-9)


@contextmanager
def churn(ground: Ground, rung: Rung, rate: float, seed: str) -> Iterator[Churn]:
    """``rate`` times a second another Service's endpoints move to another port, for the time of the block."""
    rng, made, stop = random.Random(seed), Churn(), threading.Event()
    first = ground.ends[0].port
    # Not the first two, which flows and loads may be on.
    among = list(range(2, rung.services) or range(rung.services))
    # Each in its turn: writers of one object at the same time would wait for each other.
    rng.shuffle(among)

    def one(number: int) -> None:
        ground.moves[number] += 1
        ground.move(stock.name_of(number), protocol_of(number), first + ground.moves[number] % 2)

    def go_on() -> None:
        with ThreadPoolExecutor(_AT_ONCE, "churn") as pool:
            under_way = []
            for turn in range(1, 1 << 30):
                due = made.began + turn / rate
                if stop.wait(max(0.0, due - time.monotonic())):
                    break
                under_way.append(pool.submit(one, among[turn % len(among)]))
                # An API that is slower than asked gets no queue: the rate that is told is what it took.
                while len(under_way) > 2 * _AT_ONCE:
                    under_way.pop(0).result()
                    made.done += 1
            for each in under_way:
                each.result()
                made.done += 1

    with ThreadPoolExecutor(1, "churning") as pool:
        running = pool.submit(go_on)
        try:
            yield made
        finally:
            stop.set()
            running.result()
            made.ended = time.monotonic()


class Switch:
    """One TCP Service whose only endpoint is moved to and fro, for endpoint changes."""

    def __init__(self, ground: Ground, name: str, to: Target) -> None:
        self.to = to
        self.unseen = False
        """Whether some node has not acted on the last `flip` in time: it may do so any time now."""
        self._ground, self._name, self._turn = ground, name, 0

    def flip(self) -> float:
        """Move it; when that was asked of the API, in seconds since the epoch."""
        self._turn += 1
        began = time.time()
        self._ground.move(self._name, Protocol.TCP, self._ground.ends[0].port + self._turn % 2)
        return began

    @property
    def name(self) -> str:
        """Who answers, where the last `flip` has been acted on."""
        return self._who(self._turn)

    @property
    def next_name(self) -> str:
        """Who answers after the next `flip`."""
        return self._who(self._turn + 1)

    def _who(self, turn: int) -> str:
        pod = self._ground.ends[0].name.rpartition("-")[0]
        return f"{pod}-{turn % 2 + 1}"


@contextmanager
def switch(ground: Ground) -> Iterator[Switch]:
    """A `Switch` that every node serves already."""
    with ground.one_more("switch") as to:
        ground.reached(to, "", LIMIT)
        yield Switch(ground, "bench-switch", to)


def flipped(ground: Ground, rung: Rung, one: Switch, change: Change) -> list[Programmed]:
    """One endpoint change, seen from every node; none while a node has yet to act on the one before.

    It would be seen at once there, where its endpoint has never been left.
    """
    if one.unseen and None in ground.reached(one.to, one.name, RESTARTED):
        return []
    ground.arm(one.to, one.next_name, LIMIT)
    found = _programmed(ground, rung, change, one.flip())
    one.unseen = any(each.seconds is None for each in found)
    return found


@contextmanager
def newcomers(ground: Ground, count: int) -> Iterator[list[str]]:
    """ClusterIPs for `created`, that were just given and taken back: nobody has them, and none was ever served.

    The slices of those who get them are there for the time of the block: one that came with its Service would cause a
    sync, for the end of which, and for the rest of minSyncPeriod, the Service had to wait.
    """
    slices = [one for turn in range(count) for one in _slices(ground, turn)]
    for each in slices:
        ground.create(each)
    try:
        made: list[JSON] = [
            ground.create(stock.service(ground.run, f"bench-free-{turn}", Protocol.TCP, ground.family))
            for turn in range(count)
        ]
        for each in made:
            ground.delete("Service", each["metadata"]["name"])
        yield [str(each["spec"]["clusterIP"]) for each in made]
    finally:
        for each in slices:
            ground.delete("EndpointSlice", each["metadata"]["name"])


def created(ground: Ground, rung: Rung, ip: str, turn: int) -> list[Programmed]:
    """One new Service at ``ip``, seen from every node, and deleted.

    None at all where somebody else has the address by now.
    """
    ground.arm((ip, PORT), "", LIMIT)
    asked = time.time()
    try:
        ground.create(stock.service(ground.run, _new(turn), Protocol.TCP, ground.family, ip=ip))
    except ApiRefused as no:
        if no.status not in _TAKEN:
            raise
        ground.collect(LIMIT)
        return []
    found = _programmed(ground, rung, Change.NEW_SERVICE, asked)
    ground.delete("Service", _new(turn))
    return found


def rest(rng: random.Random, after: Sequence[Programmed] = ()) -> None:
    """Some time in which nothing is changed by whoever asks, as much longer as what went before took.

    Soon after a sync kube-proxy waits for the rest of minSyncPeriod (1 s where nothing else is said): changes one after
    the other would all wait for it, and of those that come alone none does. What was deleted ``after`` it was seen
    takes as long again.
    """
    threading.Event().wait(rng.uniform(*_APART) + max((one.seconds or 0.0 for one in after), default=0.0))


def restarted(ground: Ground, rung: Rung, one: Switch) -> Restart:
    """The dialling node's kube-proxy deleted, and a change as soon as it is gone."""
    node, disturbing = ground.nodes[0].name, Disturbing(ground.cluster)
    watcher = ground.watching[0]
    watcher.arm("reach", to=one.to, name=one.next_name, limit=RESTARTED, every=0.02)
    deleted = time.time()
    disturbing.begin(Disruption.RESTART_PROXY, node)
    one.flip()
    disturbing.recover()
    at = watcher.answer(RESTARTED)["at"]
    seconds = None if at is None else at / 1e9 - ground.clocks[0].ahead - deleted
    return Restart(ground.place.name, rung.services, rung.endpoints, node, seconds, _full_syncs(ground))


def _new(turn: int) -> str:
    return f"bench-new-{turn}"


def _slices(ground: Ground, turn: int) -> list[JSON]:
    return stock.slices(ground.run, _new(turn), Protocol.TCP, ground.family, ground.ends[:1])


def _full_syncs(ground: Ground) -> float | None:
    """What the new process says of its full syncs, once it has done one for each family; None where it is silent."""
    if not weighing.account(ground.watching[0]).values:
        return None

    def lacking(seen: weighing.Account) -> str:
        return "" if seen.values.get(f"{weighing.SYNC}_count", 0) >= len(Family) else "not yet"

    values = converge(SYNCED, lambda: weighing.account(ground.watching[0]), lacking).values
    return values.get(f"{weighing.FULL_SYNC}_sum")


def _programmed(ground: Ground, rung: Rung, change: Change, asked: float) -> list[Programmed]:
    seen = ground.collect(LIMIT)
    return [
        Programmed(
            ground.place.name,
            rung.services,
            rung.endpoints,
            change,
            node.name,
            None if at is None else max(0.0, at - asked),
            clock.within,
        )
        for node, at, clock in zip(ground.nodes, seen, ground.clocks, strict=True)
    ]
