"""What is measured in which order, and the objects that are made for it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from conformance.arrange.run import Run
from conformance.bench import stock
from conformance.bench.planning import (
    NODE_PORTS_EVERY,
    Rung,
    candidates,
    dials,
    has_node_port,
    protocol_of,
    rungs,
    sorted_out,
    turns,
)
from conformance.measured.lines import Seat, Way
from conformance.model import parse
from conformance.model.addresses import Family, Protocol
from conformance.model.kube import ServiceType

SIZES = st.integers(2, 400)
NODE_PORTS = 32767 - 30000 + 1


@given(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=4, unique=True), st.integers(0, 9))
def test_every_place_has_its_turn_in_every_round_and_none_is_always_first(places: list[str], rounds: int) -> None:
    found = list(turns(places, rounds))
    assert Counter(found) == Counter((number, place) for number in range(rounds) for place in places)
    assert [place for number, place in found if number == 0] == places[: len(places) * bool(rounds)]
    assert [place for number, place in found if number == 1] == places[::-1][: len(places) * (rounds > 1)]


def test_the_ladder_goes_from_few_services_to_many_for_each_number_of_endpoints() -> None:
    assert list(rungs([1000, 100, 100], [10, 1])) == [Rung(100, 1), Rung(1000, 1), Rung(100, 10), Rung(1000, 10)]


@given(SIZES, st.integers(1, 5), st.text(max_size=4), st.sampled_from(Seat))
def test_dials_go_to_services_that_can_be_dialled_so(services: int, count: int, seed: str, seat: Seat) -> None:
    drawn = dials(Rung(services, 1), seat, count, seed)
    assert drawn == dials(Rung(services, 1), seat, count, seed)
    ways = set(Way) if seat is Seat.POD else set(Way) - {Way.LOOPBACK}
    assert Counter((d.way, d.protocol) for d in drawn) == {
        (way, protocol): count for way in ways for protocol in (Protocol.TCP, Protocol.UDP)
    }
    for one in drawn:
        assert 0 <= one.service < services
        assert protocol_of(one.service) is one.protocol
        assert one.way is not Way.NODE_PORT or has_node_port(one.service)


def test_a_ladder_of_thirty_thousand_has_node_ports_for_all_that_want_one() -> None:
    wanting = [n for n in range(50_000) if has_node_port(n)]
    assert len(wanting) == 50_000 // NODE_PORTS_EVERY
    assert len(wanting) < NODE_PORTS
    assert candidates(Rung(2, 1), Way.NODE_PORT, Protocol.UDP) == [1]


@given(st.lists(st.integers(-200, 10**6), max_size=30))
def test_an_answer_is_a_time_or_a_loss(answers: list[int]) -> None:
    asked = dials(Rung(10, 1), Seat.NODE, 9, "")[: len(answers)]
    found = sorted_out(asked, answers[: len(asked)])
    times = [ns for mine, _ in found.values() for ns in mine]
    assert sorted(times) == sorted(ns for ns in answers[: len(asked)] if ns >= 0)
    assert sum(lost for _, lost in found.values()) == sum(ns < 0 for ns in answers[: len(asked)])


@given(st.integers(0, 99_999), st.integers(1, 60), st.sampled_from(Family))
def test_objects_are_what_the_kit_reads_as_such(number: int, count: int, family: Family) -> None:
    run, ip = Run("abc123"), {Family.IPV4: "10.0.0.1", Family.IPV6: "fd00::1"}[family]
    pods = [(f"fleet-e{i}", f"{ip}{i}", f"node-{i % 2}") for i in range(8)]
    ends = stock.ends(pods, 9001, count)
    assert len({(e.ip, e.port) for e in ends}) == count
    made, slices = stock.stocked(run, number, family, ends)
    made["spec"] |= {"clusterIP": ip, "clusterIPs": [ip]}
    service = parse.service(made)
    assert (service.type is ServiceType.NODE_PORT) is has_node_port(number)
    read = [parse.endpoint_slice(one) for one in slices]
    there = {(a, p.port) for one in read for e in one.endpoints for a in e.addresses for p in one.ports}
    assert there == {(e.ip, e.port) for e in ends}
    assert {one.service for one in read} == {service.name}
    assert len({one["metadata"]["name"] for one in slices}) == len(slices)
