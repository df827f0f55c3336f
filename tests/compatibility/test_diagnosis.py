"""Causes: named on recorded runs, and never beyond what the cells say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.compatibility.diagnosis import SHARE, Diagnosis, diagnose
from conformance.compatibility.features import features, place
from conformance.model.verdict import Mismatch, Status
from conformance.results.run import Run
from conformance.spec.causes import Cause, Feature, Pattern, known
from tests.compatibility.recorded import names, recorded
from tests.reports.runs import a_result, a_run

CAUSES = {
    "affinity-ignored": ["affinity-broken"],
    "base-jump-missing": ["own-processes-bypass"],
    "cni-macvlan": ["proxy-bypassed", "own-pods-not-reached: IPv6"],
    "cni-masq-pod-to-pod": ["pod-to-pod-masqueraded"],
    "cni-no-hairpin": ["no-hairpin"],
    "cni-notrack": ["not-tracked: UDP"],
    "cni-strict-rp-filter": ["reverse-path-filtered: IPv4"],
    "cni-wrong-mtu": ["large-packets-lost"],
    "foreign-policy-drops": ["forward-dropped: node-c"],
    "forwarding-ipv6-off": ["family-missing: IPv6"],
    "fragments-lost": ["fragments-lost"],
    "healthy": [],
    "host-port-captures-services": ["host-ports-capture"],
    "host-port-missing": ["host-ports-missing"],
    "icmp-errors-lost": ["errors-lost"],
    "large-packets-lost": ["large-packets-lost"],
    "mark-overwritten": ["not-masqueraded"],
    "masquerade-everything": ["services-masqueraded"],
    "no-hairpin": ["no-hairpin"],
    "no-service-rules": ["no-service-rules"],
    "one-family-missing": ["no-service-rules: IPv6"],
    "one-node-wrong": ["no-service-rules: node-b"],
    "one-protocol-missing": ["no-service-rules: SCTP, UDP"],
    "pod-to-pod-broken": ["pods-not-routed"],
    "pod-to-pod-masqueraded": ["pod-to-pod-masqueraded"],
    "policy-before-translation": ["policies-by-service-port"],
    "policy-by-service-address": ["policies-by-service-address"],
    "policy-ingress-only": ["egress-not-policed"],
    "policy-keeps-node-out": ["policies-keep-node-out"],
    "policy-lets-nodes-in": ["policies-let-nodes-in"],
    "policy-past-services": ["policies-past-services"],
    "stale-flows": ["stale-udp"],
    "two-causes": ["no-service-rules: node-b", "no-hairpin"],
}
NOT_ALL = {"base-jump-missing", "one-family-missing"}
"""Runs in which changes came too late as well, for kube-proxy could not write its table."""


def told(diagnosis: Diagnosis) -> list[str]:
    return [found.cause.id + (f": {', '.join(found.only[1])}" if found.only else "") for found in diagnosis.found]


def test_every_recorded_run_has_its_cause() -> None:
    assert names() == sorted(CAUSES)


def test_every_cause_has_a_recorded_run() -> None:
    assert {cause.id for cause in known()} == {said.partition(":")[0] for named in CAUSES.values() for said in named}


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_of_a_recorded_run_is_named(name: str) -> None:
    diagnosis = diagnose(recorded(name), known())
    assert told(diagnosis) == CAUSES[name]
    assert bool(diagnosis.unexplained) is (name in NOT_ALL)


@pytest.mark.parametrize("name", CAUSES)
def test_without_what_it_spares_no_cause_is_claimed(name: str) -> None:
    """Failures alone prove nothing: something else may be broken as well."""
    run = recorded(name)
    failed = tuple(one for one in run.results if one.status is Status.FAILED)
    diagnosis = diagnose(replace(run, results=failed), known())
    assert diagnosis.found == ()
    assert diagnosis.unexplained == failed


@pytest.mark.parametrize("name", [name for name in CAUSES if CAUSES[name]])
def test_a_cause_is_not_claimed_when_as_many_cells_like_those_pass(name: str) -> None:
    run = recorded(name)
    named = diagnose(run, known()).found[0]
    passing = {one.id for one in named.explained[::2]}
    mended = [
        replace(one, status=Status.PASSED, mismatch=Mismatch.NONE) if one.id in passing else one for one in run.results
    ]
    again = [found for found in diagnose(replace(run, results=tuple(mended)), known()).found if not found.only]
    assert named.cause.id not in [found.cause.id for found in again]


FEW = settings(max_examples=40)
AREAS, CLIENTS = ("one", "two", "three"), ("pod-a", "node-a", "endpoint-b")


@st.composite
def runs(draw: st.DrawFn) -> Run:
    cells = draw(st.lists(st.tuples(st.sampled_from(AREAS), st.sampled_from(CLIENTS), st.booleans()), max_size=20))
    return a_run(
        replace(a_result(number, Status.FAILED if bad else Status.PASSED, area=area), client=client)
        for number, (area, client, bad) in enumerate(cells)
    )


def patterns() -> st.SearchStrategy[tuple[Pattern, ...]]:
    area = st.sampled_from(AREAS).map(lambda a: (Feature.AREA, frozenset({a})))
    client = st.sampled_from(("pod", "node", "endpoint")).map(lambda c: (Feature.CLIENT, frozenset({c})))
    return st.lists(
        st.builds(Pattern, st.lists(area | client, min_size=1, max_size=2).map(tuple)), min_size=1, max_size=2
    ).map(tuple)


@st.composite
def causes(draw: st.DrawFn) -> Sequence[Cause]:
    found = st.builds(
        Cause,
        id=st.just("c"),
        name=st.just("n"),
        told=st.just("t"),
        remedy=st.just("r"),
        breaks=patterns(),
        spares=patterns(),
        each=st.sampled_from(((), (Feature.CLIENT_NODE,), (Feature.AREA, Feature.CLIENT))),
        also=st.just(()) | patterns(),
    )
    drawn = draw(st.lists(found, max_size=5))
    return [replace(one, id=str(number)) for number, one in enumerate(drawn)]


@FEW
@given(runs(), causes())
def test_a_cover_explains_failed_cells_once_and_leaves_out_the_others(run: Run, known_: Sequence[Cause]) -> None:
    diagnosis = diagnose(run, known_)
    failed = [one for one in run.results if one.status is Status.FAILED]
    explained = [one for found in diagnosis.found for one in found.explained]
    assert list(diagnosis.failed) == failed
    assert len({one.id for one in explained}) == len(explained)
    assert sorted(one.id for one in (*explained, *diagnosis.unexplained)) == sorted(one.id for one in failed)


@FEW
@given(runs(), causes())
def test_what_is_claimed_is_what_was_counted(run: Run, known_: Sequence[Cause]) -> None:
    where = place(run)
    for found in diagnose(run, known_).found:
        may = (*found.cause.breaks, *found.cause.also)
        for one in found.explained:
            cell = features(one, where)
            assert any(pattern.fits(cell) for pattern in may)
            assert found.only is None or cell.get(found.only[0], frozenset(found.only[1])) & set(found.only[1])
        assert SHARE * found.like <= found.failing <= len(found.explained)
        assert SHARE * found.apart <= found.spared <= found.apart
        assert found.failing
        assert found.spared


@FEW
@given(runs(), causes())
def test_nothing_is_claimed_that_could_be_claimed_no_more_and_nothing_left_that_could(
    run: Run, known_: Sequence[Cause]
) -> None:
    diagnosis = diagnose(run, known_)
    explained = {one.id for found in diagnosis.found for one in found.explained}
    rest = tuple(one for one in run.results if one.id not in explained)
    assert diagnose(replace(run, results=rest), known_).found == ()


@FEW
@given(runs(), causes(), st.randoms(use_true_random=False))
def test_the_order_of_cells_does_not_matter(run: Run, known_: Sequence[Cause], random: Random) -> None:
    shuffled = list(run.results)
    random.shuffle(shuffled)
    mixed = diagnose(replace(run, results=tuple(shuffled)), known_)
    assert told(mixed) == told(diagnose(run, known_))
