"""A whole bench: the ladder, rung by rung, every place in turn."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace

from conformance.arrange.run import Run
from conformance.bench import changing, dialling, weighing
from conformance.bench.ground import Ground, emptied, grounds
from conformance.bench.planning import Rung, rungs, turns
from conformance.cluster.api import Cluster
from conformance.measured.lines import Change, Flow, Growth, Line, Machine, Note, Place, Seat, Under
from conformance.model.addresses import Family
from conformance.model.kube import Node

Write = Callable[[Line], None]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be measured: ``dials`` of each kind a round, ``changes`` of each kind a rung.

    ``rate`` is the changes a second amid which some are timed, ``load_seconds`` how long each load lasts. ``restart``:
    kube-proxy may be restarted.
    """

    services: tuple[int, ...]
    endpoints: tuple[int, ...]
    rounds: int
    dials: int
    changes: int
    rate: float
    load_seconds: float
    restart: bool
    family: Family
    seed: int


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster to measure: its ``nodes``, that first from which is dialled; ``new_run`` names a ladder's objects.

    In a block of ``unprogrammed`` Services are created: where that can be done, its proxies program nothing meanwhile,
    and all at once afterwards.
    """

    cluster: Cluster
    place: Place
    nodes: Sequence[Node]
    families: tuple[Family, ...]
    new_run: Callable[[], Run]
    unprogrammed: Callable[[], AbstractContextManager[None]] = nullcontext


def measure(sites: Sequence[Site], wish: Wish, write: Write, tell: Tell) -> None:
    """Everything that was wished for, each line written as it is measured. Raises `KitError`."""
    every = list(rungs(wish.services, wish.endpoints))
    for endpoints in dict.fromkeys(rung.endpoints for rung in every):
        with ExitStack() as stack:
            there = [
                stack.enter_context(
                    grounds(s.cluster, s.place, s.new_run(), wish.family, s.nodes, endpoints, s.unprogrammed)
                )
                for s in sites
            ]
            with _told(there, write):
                for rung in every:
                    if rung.endpoints == endpoints:
                        _rung(there, rung, wish, write, tell)
            if endpoints != every[-1].endpoints:
                for ground in there:  # the next ladder begins with nothing
                    emptied(ground)


@contextmanager
def _told(there: Sequence[Ground], write: Write) -> Iterator[None]:
    """What each place and each agent says of itself, around all that is measured."""

    def machines() -> None:
        for ground in there:
            write(Machine(ground.place.name, ground.seats[Seat.NODE].ask("machine")["machine"]))

    machines()
    for ground in there:
        for one in dialling.overheads(ground):
            write(one)
    yield
    machines()


def _rung(there: Sequence[Ground], rung: Rung, wish: Wish, write: Write, tell: Tell) -> None:
    ends = f" of {rung.endpoints} endpoints" if rung.endpoints > 1 else ""
    tell(f"creating: {rung.services} Services{ends}")
    for growth in _grown(there, rung, tell):
        write(growth)
    for ground in there:
        write(weighing.weight(ground, rung))
    tell(f"dialling: {wish.rounds} rounds")
    for ground in there:
        dialling.warm_up(ground, rung)
    for number, ground in turns(there, wish.rounds):
        for one in dialling.latencies(ground, rung, number, wish.dials, wish.seed):
            write(one)
    if wish.changes:
        _changes(there, rung, wish, write, tell)
    if wish.load_seconds:
        _loads(there, rung, wish, write, tell)
    if wish.restart:
        for ground in there:
            tell(f"{ground.place.name}: kube-proxy restarts")
            flows: list[Flow] = []
            with changing.switch(ground) as switch:
                with dialling.flow(ground, rung, Under.RESTART, changing.RESTARTED, flows):
                    write(changing.restarted(ground, rung, switch))
                for flow in flows:
                    write(flow)


def _grown(there: Sequence[Ground], rung: Rung, tell: Tell) -> Iterator[Growth]:
    """The rung's Services, created in all places at once, but programmed by one after the other."""
    before, stop = [len(ground.served) for ground in there], threading.Event()
    with ExitStack() as stack:
        holds = [stack.enter_context(ExitStack()) for _ in there]
        for hold, ground in zip(holds, there, strict=True):
            hold.enter_context(ground.unprogrammed())
        with ThreadPoolExecutor(len(there), "place") as pool:
            populating = [pool.submit(ground.populate, rung, stop) for ground in there]
            try:
                took = [each.result() for each in populating]
            finally:
                stop.set()
        for hold, ground, first, seconds in zip(holds, there, before, took, strict=True):
            tell(f"{ground.place.name}: programming {rung.services} Services")
            hold.close()
            created = len(ground.served) - first
            yield Growth(ground.place.name, rung.services, rung.endpoints, created, seconds, ground.await_served(rung))


def _changes(there: Sequence[Ground], rung: Rung, wish: Wish, write: Write, tell: Tell) -> None:
    tell(f"changing: {wish.changes} of each kind")
    before = [weighing.account(ground.watching[0]) for ground in there]
    with ExitStack() as stack:
        own = [
            (
                ground,
                stack.enter_context(changing.newcomers(ground, wish.changes)),
                stack.enter_context(changing.switch(ground)),
            )
            for ground in there
        ]
        rng = random.Random(wish.seed)
        for turn, (ground, free, switch) in turns(own, wish.changes):
            changing.rest(rng)
            found = changing.created(ground, rung, free[turn], turn)
            changing.rest(rng, found)
            for one in (*found, *changing.flipped(ground, rung, switch, Change.ENDPOINT)):
                write(one)
        for ground, _, switch in own:
            flows: list[Flow] = []
            with (
                changing.churn(ground, rung, wish.rate, f"{wish.seed} {rung}") as churn,
                dialling.flow(ground, rung, Under.CHURN, changing.LIMIT * wish.changes, flows),
            ):
                for _ in range(wish.changes):
                    changing.rest(rng)  # else each would come just after a sync, and wait longest for the next
                    for one in changing.flipped(ground, rung, switch, Change.ENDPOINT_IN_CHURN):
                        write(one)
            for flow in flows:
                write(flow)
            beside = f"{rung.services} Services: amid {churn.rate:.0f} other changes a second"
            write(Note(f"{beside}, of {wish.rate:.0f} that were asked for", ground.place.name))
    for ground, account in zip(there, before, strict=True):
        for metric in weighing.metrics(ground, rung, account, weighing.account(ground.watching[0])):
            write(metric)
        write(weighing.weight(ground, rung))


def _loads(there: Sequence[Ground], rung: Rung, wish: Wish, write: Write, tell: Tell) -> None:
    tell("loading")
    seed = f"{wish.seed} {rung}"
    for ground in there:
        write(dialling.load(ground, rung, Under.QUIET, wish.load_seconds, seed))
    for ground in reversed(there):
        with changing.churn(ground, rung, wish.rate, seed) as churn:
            found = dialling.load(ground, rung, Under.CHURN, wish.load_seconds, seed)
        write(replace(found, changes=churn.rate))
