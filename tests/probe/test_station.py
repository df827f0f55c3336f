"""An agent whose stream dies: another is started, asked what can be asked twice, and given up when that is in vain."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.cluster.command import CommandStream
from conformance.cluster.stream import LineStream
from conformance.errors import ClusterError
from conformance.model.client import Client, ClientKind
from conformance.model.observation import End, Observation
from conformance.probe.request import DialRequest
from conformance.probe.station import FLOW_LOST, Station
from conformance.probe.vantage import Vantage

if TYPE_CHECKING:
    from tests.probe.conftest import World

CLIENT = Client("pod-a", ClientKind.POD, "node-a", ("10.91.1.2",))
WEB = ("10.91.2.2", 8080)
FOREVER = 60.0


@dataclass
class Mortal:
    """A real stream whose program dies when it has been sent ``fatal``."""

    stream: CommandStream
    fatal: str = "nothing"

    @property
    def name(self) -> str:
        return self.stream.name

    def send(self, line: str) -> None:
        self.stream.send(line)
        if self.fatal in line:
            self.die()

    def receive(self, timeout: float) -> str | None:
        return self.stream.receive(timeout)

    def close(self) -> None:
        self.stream.close()

    def die(self) -> None:
        self.stream._process.kill()
        self.stream._process.wait()


class Place:
    """Somewhere to start agents, of which each does what the next of ``turns`` says."""

    def __init__(self, world: World, *turns: Callable[[Mortal], object]) -> None:
        self._world = world
        self._turns: Iterator[Callable[[Mortal], object]] = itertools.chain(turns, itertools.repeat(lambda _: None))
        self.agents: list[Mortal] = []

    def __call__(self, _width: int) -> LineStream:
        stream = Mortal(self._world.dialler("c"))
        self.agents.append(stream)
        next(self._turns)(stream)
        return stream


def dies_of(word: str) -> Callable[[Mortal], None]:
    def tune(stream: Mortal) -> None:
        stream.fatal = word

    return tune


def unreachable(stream: Mortal) -> None:
    stream.close()
    raise ClusterError("It is away.", "Wait.")


def opened(place: Place, patience: float = FOREVER) -> Station:
    station = Station(Vantage(CLIENT, place), 8, patience)
    station.open(threading.Event())
    return station


def dialled(station: Station, *requests: DialRequest, window: int = 8) -> dict[str, Observation]:
    seen: list[tuple[str, Observation]] = []
    station.dial(
        requests, window, lambda _: None, lambda request, found: seen.append((request.key, found)), threading.Event()
    )
    assert len(seen) == len(requests)
    return dict(seen)


def plain(key: str) -> DialRequest:
    return DialRequest(key, *WEB, count=2)


def flow(key: str) -> DialRequest:
    return DialRequest(key, *WEB, flow=True, keep=key)


def test_what_has_no_answer_is_asked_of_another_agent(world: World, web: str) -> None:
    place = Place(world, dies_of("dial"), unreachable)
    station = opened(place)
    seen = dialled(station, plain("one"), plain("two"))
    assert {key: one.ends() for key, one in seen.items()} == {"one": {End.ANSWERED: 2}, "two": {End.ANSWERED: 2}}
    assert (station.lost, len(place.agents)) == ("", 3)
    station.close()


def test_what_cannot_be_asked_twice_is_not(world: World, web: str) -> None:
    station = opened(Place(world, dies_of("dial")))
    rounds = DialRequest("rounds", *WEB, schedule=((0.0, WEB[1]), (0.1, WEB[1])))
    later = DialRequest("later", *WEB, schedule=((0.0, WEB[1]),))
    seen = dialled(station, rounds, plain("plain"), later, window=2)
    assert seen["rounds"].trouble.startswith("pod-a on node-a: ")
    assert "exit status -9" in seen["rounds"].trouble
    assert seen["plain"].ends() == {End.ANSWERED: 2}
    assert seen["later"].ends() == {End.ANSWERED: 1}  # nobody had been asked that yet
    station.close()


def test_flows_end_with_the_agent_that_kept_them(world: World, web: str) -> None:
    place = Place(world)
    station = opened(place)
    assert dialled(station, flow("kept"))["kept"].ends() == {End.ANSWERED: 1}
    place.agents[0].die()  # while nobody asks anything
    seen = dialled(station, flow("kept"), flow("new"), plain("plain"))
    assert seen["kept"].trouble == FLOW_LOST
    assert (seen["new"].ends(), seen["plain"].ends()) == ({End.ANSWERED: 1}, {End.ANSWERED: 2})
    assert dialled(station, flow("new"))["new"].ends() == {End.ANSWERED: 1}
    station.close()


def test_an_agent_that_dies_of_what_it_is_asked_is_started_once_only(world: World, web: str) -> None:
    place = Place(world, dies_of("dial"), dies_of("dial"))
    station = opened(place)
    seen = dialled(station, plain("one"))
    assert seen["one"].trouble == station.lost
    assert len(place.agents) == 2
    assert dialled(station, plain("two"))["two"].trouble == station.lost


def test_a_place_that_does_not_come_back_is_lost_and_says_both_reasons(world: World, web: str) -> None:
    place = Place(world, dies_of("dial"), *[unreachable] * 50)
    station = opened(place, patience=0.3)
    seen = dialled(station, plain("one"))
    assert seen["one"].trouble.startswith("pod-a on node-a: ")
    assert seen["one"].trouble.endswith("Starting another agent there failed: It is away.")


def test_a_start_is_waited_for_too_while_the_api_server_is_away(world: World, web: str) -> None:
    station = opened(Place(world, unreachable, unreachable))
    assert dialled(station, plain("one"))["one"].ends() == {End.ANSWERED: 2}
    station.close()


def test_an_interrupt_ends_the_waiting(world: World) -> None:
    stop = threading.Event()
    station = Station(Vantage(CLIENT, Place(world, *[unreachable] * 50)), 8, FOREVER)
    opening = threading.Thread(target=station.open, args=(stop,))
    opening.start()
    stop.set()
    opening.join(FOREVER / 2)
    assert not opening.is_alive()
    assert station.lost == ""
