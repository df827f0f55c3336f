"""Rows live side by side in one namespace: what they name by themselves must not meet."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from conformance.model.addresses import Family
from conformance.model.case import Ask, Become, Case, Submission
from conformance.model.case.requests import StaticPort
from conformance.model.case.service_spec import ServiceSpec
from fixtures.catalogue import areas

CASES = [case for area in areas() for case in area.cases]
MATRICES = [matrix for area in areas() for matrix in area.matrices]


def phases(case: Case) -> list[tuple[ServiceSpec, ...]]:
    """The Services of each phase of the case's story."""
    return [case.services, *(step.services for step in case.story if isinstance(step, Become))]


def there() -> dict[tuple[str, int], dict[str, ServiceSpec]]:
    """By name and phase: the Services that are there at the same time, each by the cases and matrices that want it."""
    known: dict[tuple[str, int], dict[str, ServiceSpec]] = defaultdict(dict)
    steps = max(len(phases(case)) for case in CASES)
    for case in CASES:
        # What stands still is there through all steps of stories.
        every = phases(case) if len(phases(case)) > 1 or case.alone else phases(case) * steps
        for phase, services in enumerate(every):
            for spec in services:
                known[spec.name, phase][case.id] = spec
    for matrix in MATRICES:
        for spec in matrix.services:
            for phase in range(steps):
                known[spec.name, phase][matrix.id] = spec
    return known


def test_two_cases_never_give_one_name_to_different_services_at_a_time() -> None:
    shared = {at: cases for at, cases in there().items() if len(cases) > 1}
    assert shared
    assert {at: sorted(cases) for at, cases in shared.items() if len(set(cases.values())) > 1} == {}


def test_session_affinity_takes_no_more_of_a_nodes_memory_than_the_manual_says() -> None:
    sets: Counter[int] = Counter()
    for (_, phase), cases in there().items():
        spec = next(iter(cases.values()))
        if spec.affinity:
            endpoints = len(spec.endpoints) + sum(len(each.endpoints) for each in spec.slices or ())
            sets[phase] += len(spec.ports) * endpoints * len(Family)
    (said,) = re.findall(r"up to ([0-9.]+) GiB of kernel memory", Path("docs/live.md").read_text())
    assert 0.9 * float(said) < max(sets.values()) * 2 / 1024 <= float(said)


def test_two_cases_never_name_one_node_port() -> None:
    named: dict[int, set[str]] = defaultdict(set)
    # A disruptive one is asked by itself, when the Services of all others are gone.
    for case in (c for c in CASES if not c.disruptive):
        specs = [s for services in phases(case) for s in services]
        numbers = {p.node_port for s in specs for p in s.ports} | {s.health_check_port for s in specs}
        asked = [step.what for step in case.story if isinstance(step, Ask) and isinstance(step.what, Submission)]
        requests = [r for what in asked for r in (*what.requests, what.decisive)]
        numbers |= {p.node_port for r in requests for p in r.service.ports}
        numbers |= {v.number for r in requests for _, v in r.fields if isinstance(v, StaticPort)}
        for number in numbers - {0}:
            named[number].add(case.id)
    assert named
    assert {n: sorted(c) for n, c in named.items() if len(c) > 1} == {}
