"""Random stories: the same seed tells the same one, and every address that there is, is asked."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.model.case import Ask, Become, Submission
from conformance.model.client import DestinationKind
from conformance.model.kube import ServiceType
from conformance.oracle import expect_cell
from conformance.plan import imagine
from conformance.plan.bind import bind
from conformance.plan.cells import cells_of_case
from suites.proxy.cases import CASES
from suites.proxy.edits import story

RANDOM = [case for case in CASES if case.id in ("PRX-20", "PRX-21")]


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_every_address_of_every_service_is_asked_in_each_phase(seed: int) -> None:
    first, steps = story(seed, "x", services=4, phases=4)
    assert story(seed, "x", services=4, phases=4) == (first, steps)
    phase, asked = first, set[tuple[str, DestinationKind]]()
    for step in (*steps, Become(())):
        if isinstance(step, Ask):
            assert not isinstance(step.what, Submission)
            asked.add((step.what.destination.of, step.what.destination.kind))
            continue
        assert isinstance(step, Become)
        for spec in phase:
            assert (spec.name, DestinationKind.CLUSTER_IP) in asked
            assert (spec.type is ServiceType.CLUSTER_IP) != ((spec.name, DestinationKind.NODE_PORT) in asked)
            assert (spec.type is ServiceType.LOAD_BALANCER) == ((spec.name, DestinationKind.LOAD_BALANCER) in asked)
            assert spec.external_ip == ((spec.name, DestinationKind.EXTERNAL_IP) in asked)
        phase, asked = step.services, set()


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_the_oracle_has_an_answer_to_each_question(seed: int) -> None:
    first, steps = story(seed, "x", services=3, phases=3)
    for cell in cells_of_case(replace(RANDOM[0], given=first, steps=steps), "proxy"):
        scene = imagine.scene(cell)
        bound = bind(cell, scene.state, scene.here)
        assert not isinstance(bound, str)
        assert expect_cell(cell, scene.state, *bound).reasons


def test_the_chosen_seeds_change_much() -> None:
    for case in RANDOM:
        phases = [case.services, *(step.services for step in case.steps if isinstance(step, Become))]
        named = [{spec.name: spec for spec in phase} for phase in phases]
        kept = [(a[name], b[name]) for a, b in pairwise(named) for name in a.keys() & b.keys()]
        assert len({(before.type, after.type) for before, after in kept if before.type is not after.type}) >= 3
        for field in ("endpoints", "affinity", "external_policy", "ports"):
            assert any(getattr(before, field) != getattr(after, field) for before, after in kept), field
        assert {len(spec.endpoints) for phase in phases for spec in phase} == {0, 1, 2, 3}
        came = [
            name
            for before, gone, back in zip(named, named[1:], named[2:], strict=False)
            for name in before
            if name in back and name not in gone
        ]
        assert came
