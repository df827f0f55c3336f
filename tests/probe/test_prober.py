"""The prober over real agents in real namespaces: sweeps, patience, controls, and streams that die."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from conformance.cluster.command import CommandStream, Elsewhere
from conformance.cluster.failures import ApiRefused
from conformance.cluster.stream import LineStream, StreamLost
from conformance.model.addresses import Family, Protocol
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.kube import Node
from conformance.model.observation import End, Observation
from conformance.probe.prober import Prober, confirmed
from conformance.probe.request import DialRequest, Transport
from conformance.probe.session import Session, longest
from conformance.probe.vantage import Vantage, controls, outside

if TYPE_CHECKING:
    from tests.probe.conftest import World

CONTROLS = (("10.91.2.2", 8080), ("fd91:2::2", 8080))
CLIENT = Client("c", ClientKind.EXTERNAL, "r", ("10.91.1.2", "fd91:1::2"))
LOCAL = Client("s", ClientKind.NODE, "s", ("10.91.2.2",))


def vantage(world: World, client: Client = CLIENT) -> Vantage:
    return outside(client, Elsewhere(client.name, world.prefix(client.name)), CONTROLS)


@dataclass
class Steered:
    """A real stream of which a test decides when it dies."""

    stream: CommandStream
    lines_left: int = 1 << 30
    silent: bool = False

    @property
    def name(self) -> str:
        return self.stream.name

    def send(self, line: str) -> None:
        self.stream.send(line)

    def receive(self, timeout: float) -> str | None:
        if self.silent:
            time.sleep(min(timeout, 0.05))
            return None
        self.lines_left -= 1
        if self.lines_left < 0:
            self.stream._process.kill()
        return self.stream.receive(timeout)

    def close(self) -> None:
        self.stream.close()


def steered(world: World, tune: Callable[[Steered], None]) -> Vantage:
    def start(width: int) -> LineStream:
        stream = Steered(world.dialler("c", "--width", str(width)))
        tune(stream)
        return stream

    return Vantage(CLIENT, start, CONTROLS)


def test_a_sweep_from_two_places(world: World, web: str) -> None:
    asked = {
        name: [
            DialRequest(f"{name} {ip} {transport.value} {port}", ip, port, transport, count=7, timeout=0.5)
            for ip, _ in CONTROLS
            for transport in (Transport.TCP, Transport.UDP)
            for port in (8080, 81, 82)
        ]
        for name in ("c", "s")
    }
    progress: list[tuple[int, int]] = []
    with Prober([vantage(world), vantage(world, LOCAL)], lambda done, total: progress.append((done, total))) as prober:
        seen = dict(prober.sweep(asked))
        assert prober.places["s"].global_addresses[:2] == ("10.91.2.2", "10.91.2.3")
    assert set(seen) == {r.key for requests in asked.values() for r in requests}
    assert progress == [(n, 24) for n in range(1, 25)]
    for ip, _ in CONTROLS:
        for word in ("TCP", "UDP"):
            assert seen[f"c {ip} {word} 8080"].ends() == {End.ANSWERED: 7}
            assert {d.endpoint for d in seen[f"c {ip} {word} 8080"].dials} == {web}
            assert seen[f"c {ip} {word} 81"].ends() == {End.ICMP: 7}
            void = seen[f"c {ip} {word} 82"]
            assert void.ends() == {End.TIMEOUT: 7}
            assert (void.control_before, void.control_after) == (True, True)
        assert seen[f"s {ip} TCP 82"].ends() == {End.RST: 7}  # its own machine: the router's rules are not in the way


def test_patience_is_paced_and_longer(world: World, web: str) -> None:
    request = DialRequest("k", "10.91.2.2", 82, count=5)
    assert replace(request.patient(), pace=0.0, timeout=1.0, parallel=8) == request
    assert replace(request.patient(paced=False), timeout=1.0) == request
    quick = DialRequest("k", "10.91.2.2", 81, count=6)
    with Prober([vantage(world)]) as prober:
        ((key, first),) = prober.sweep({"c": [quick]})
        ((_, second),) = prober.patiently({"c": [quick]})
    assert key == "k"
    starts = [d.at for d in second.dials]
    assert all(b - a >= 0.049 for a, b in itertools.pairwise(starts))
    both = confirmed(first, second)
    assert both.decisive == second.dials
    assert both.dials == first.dials


def test_a_place_whose_stream_dies_is_trouble_for_its_own_cells_only(world: World, web: str) -> None:
    void = [DialRequest(f"c{i}", "10.91.2.2", 82, count=3, timeout=2.0) for i in range(5)]
    fine = [DialRequest(f"s{i}", "10.91.2.2", 8080, count=3) for i in range(5)]
    mortal = steered(world, lambda stream: setattr(stream, "lines_left", 3))  # the second beat, before any time-out
    with Prober([mortal, vantage(world, LOCAL)]) as prober:
        begun = time.monotonic()
        seen = dict(prober.sweep({"c": void, "s": fine}))
        again = dict(prober.sweep({"c": void[:1]}))
        assert "c" in prober.lost
    assert time.monotonic() - begun < 30  # nobody's patience, which is a minute
    assert all("ended with exit status -9" in seen[f"c{i}"].trouble for i in range(5))
    assert all(seen[f"s{i}"].ends() == {End.ANSWERED: 3} for i in range(5))
    assert again["c0"].trouble == seen["c0"].trouble


def test_silence_of_the_agent_ends_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.probe.session.PULSE", 0.5)
    stream = Steered(world.dialler())
    session = Session(stream)
    stream.silent = True
    begun = time.monotonic()
    with pytest.raises(StreamLost, match="no sign of life for"):
        list(session.ask([(DialRequest("k", "10.91.2.2", 82, timeout=60), None)]))
    assert time.monotonic() - begun < 20
    stream.close()


def test_an_agent_that_beats_and_never_finishes_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.probe.session.longest", lambda _: 1.5)
    stream = world.dialler()
    with pytest.raises(StreamLost, match=r"did not finish 1 requests in 2 s"):
        list(Session(stream).ask([(DialRequest("k", "10.91.2.2", 82, timeout=60), None)]))
    stream.close()


def test_answers_to_an_abandoned_round_are_not_taken_for_new_ones(world: World, web: str) -> None:
    with Prober([vantage(world)]) as prober:
        slow = [DialRequest(f"k{i}", "10.91.2.2", 82, count=2, timeout=0.3) for i in range(3)]
        quick = DialRequest("first", "10.91.2.2", 8080)
        for key, _ in prober.sweep({"c": [quick, *slow]}):
            assert key == "first"
            break
        ((key, seen),) = prober.sweep({"c": [DialRequest("k0", "10.91.2.2", 8080)]})
    assert (key, seen.ends()) == ("k0", {End.ANSWERED: 1})


def test_an_abandoned_sweep_ends_at_once(world: World, web: str) -> None:
    with Prober([vantage(world)]) as prober:
        asked = [DialRequest("quick", "10.91.2.2", 8080), DialRequest("slow", "10.91.2.2", 82, timeout=30)]
        begun = time.monotonic()
        for key, _ in prober.sweep({"c": asked}):
            assert key == "quick"
            break
        assert time.monotonic() - begun < 5
        assert prober.lost == {}


def test_controls_are_chosen_among_those_that_answer(world: World, web: str) -> None:
    candidates = (("10.91.2.2", 82), ("fd91:2::2", 99), ("10.91.2.3", 8080))
    with Prober([replace(vantage(world), controls=candidates)]) as prober:
        assert prober.control("c", Family.IPV4) == ("10.91.2.3", 8080)
        assert prober.control("c", Family.IPV6) == ("10.91.2.3", 8080)  # better than none: the client at least lives
        ((_, seen),) = prober.sweep({"c": [DialRequest("k", "fd91:2::2", 82, timeout=0.2)]})
    assert (seen.control_before, seen.control_after) == (True, True)


def test_without_a_control_none_is_claimed(world: World) -> None:
    with Prober([replace(vantage(world), controls=())]) as prober:
        ((_, seen),) = prober.sweep({"c": [DialRequest("k", "10.91.2.2", 82, timeout=0.2)]})
    assert (seen.control_before, seen.control_after) == (None, None)


def test_a_place_that_does_not_start_is_lost_and_others_work(world: World, web: str) -> None:
    broken = outside(replace(CLIENT, name="x"), Elsewhere("x", ("sh", "-c", "echo no such host >&2; exit 255")))
    with Prober([broken, vantage(world)]) as prober:
        asked = {"x": [DialRequest("a", "10.91.2.2", 8080)], "c": [DialRequest("b", "10.91.2.2", 8080)]}
        seen = dict(prober.sweep(asked))
    assert seen["a"].trouble == "x: the dialling agent ended with exit status 255: no such host."
    assert seen["b"].ends() == {End.ANSWERED: 1}


def test_forbidden_exec_is_the_callers_to_hear() -> None:
    def forbidden(_width: int) -> LineStream:
        raise ApiRefused(403, "Forbidden", "The credentials do not permit to create pods/exec.", "Grant it.")

    with pytest.raises(ApiRefused, match="create pods/exec"), Prober([Vantage(CLIENT, forbidden)]):
        pass


def test_controls_prefer_the_far_node_and_the_entrance() -> None:
    nodes = [Node("a", ("10.0.0.1", "fd00::1")), Node("b", ("10.0.0.2",))]
    inside = controls(Client("p", ClientKind.POD, "a"), nodes, 7)
    outside_ = controls(Client("x", ClientKind.EXTERNAL, "b"), nodes, 7)
    assert inside == (("10.0.0.2", 7), ("10.0.0.1", 7), ("fd00::1", 7))
    assert outside_ == (("10.0.0.2", 7), ("10.0.0.1", 7), ("fd00::1", 7))


def test_requests_from_destinations_and_how_long_they_may_take() -> None:
    destination = Destination(DestinationKind.CLUSTER_IP, "fd00::1", 80, Protocol.UDP, "ns/web")
    request = DialRequest.to(destination, "k", 21)
    assert (request.transport, request.count, request.family) == (Transport.UDP, 21, Family.IPV6)
    assert request.longest == pytest.approx(3.0)
    assert longest([request] * 1000) < 200
    assert longest([]) > 0


def test_an_observation_without_dials_says_why(world: World) -> None:
    with Prober([]) as prober:
        ((_, seen),) = prober.sweep({"nowhere": [DialRequest("k", "10.91.2.2", 82)]})
    assert seen == Observation(trouble="no place nowhere")
