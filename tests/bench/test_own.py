"""The kit's pure parts grow as what they are about, and its figures come with what is known of them."""

from __future__ import annotations

import shutil
from statistics import median

import pytest

from conformance.bench.own.generated import Size, objects, state
from conformance.bench.own.parts import works
from conformance.bench.own.ratios import ratio, typical
from conformance.bench.own.reported import judged
from conformance.bench.own.weighing import timed, weighed
from conformance.cli.preflight_objects import Saved
from conformance.facts.gather import gather
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case
from fixtures.catalogue import areas

FEW, MANY, ROUNDS = 100, 200, 3
TWICE = 3.0
"""Of twice as much no more than this is taken: what grows with the square would take four times as long."""
CELL = next(cells_of_case(areas()[0].cases[0], "area"))


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft is not installed")
def test_twice_as_many_nodes_and_services_take_twice_as_long() -> None:
    some, more = (works(Size(number, number), Saved) for number in (FEW, MANY))
    for part in some:
        pairs = [(timed(some[part]), timed(more[part])) for _ in range(ROUNDS)]
        assert median(twice / once for once, twice in pairs) < TWICE, (part, pairs)


def test_nodes_alone_make_no_expectation_dearer() -> None:
    """Ten times as many: who looked at each of them, for every question, would take ten times as long."""
    few, many = state(Size(50, 100)), state(Size(500, 100))
    pairs = [(timed(lambda: judged(few, CELL)), timed(lambda: judged(many, CELL))) for _ in range(ROUNDS)]
    assert median(large / small for small, large in pairs) < TWICE, pairs


def test_a_generated_cluster_is_what_it_says() -> None:
    known = state(Size(20, 100))
    assert (len(known.nodes), len(known.services)) == (20, 100)
    assert {e.node for slices in known.slices.values() for one in slices for e in one.endpoints} <= known.nodes.keys()
    assert {one.status for one in judged(known, CELL)} == {Status.PASSED}
    facts = gather(Saved(objects(Size(20, 100))))
    assert [node.name for node in facts.nodes.otherwise(())] == list(known.nodes)
    assert facts.configured_mode.value is not None


def test_a_ratio_is_that_of_rounds() -> None:
    slow, fast = [100.0, 50.0, 10.0, 80.0], [200.0, 100.0, 20.0, 160.0]
    found = ratio(fast, slow)
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)
    assert (typical([1.0, 2.0, 3.0]).value, typical([1.0, 2.0, 3.0]).low) == (2.0, 1.0)


def test_memory_is_the_most_that_there_was_at_one_time() -> None:
    def work() -> None:
        for _ in range(3):
            bytearray(8 << 20)

    assert 8 <= weighed(work).mib < 16
