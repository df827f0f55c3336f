"""What counts as caught: the right mismatch, of a case that claims it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge.kills import Finding, Kill, Told, kill
from conformance.model.case import Case, Level, cluster_ip, dial, on, pod, service
from conformance.model.outcome import Dropped
from conformance.model.verdict import Mismatch, Status
from conformance.plan.claims import claims, sample, some
from conformance.spec.faults import DAMAGE, Fault
from conformance.spec.sources import SERVICE_TYPE
from reports import faults, kills

FAULT = Fault.NO_HAIRPIN
RIGHT = DAMAGE[FAULT].shows[0]
WRONG = next(m for m in Mismatch if m not in DAMAGE[FAULT].shows and m is not Mismatch.NONE)


def told(case: str, status: Status, mismatch: Mismatch = Mismatch.NONE) -> Told:
    return Told(f"{case}.ipv4-tcp", case, status, mismatch)


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        ([told("A-01", Status.FAILED, RIGHT), told("A-01", Status.PASSED)], Finding.CAUGHT),
        ([told("A-01", Status.FAILED, WRONG), told("A-01", Status.FAILED, RIGHT)], Finding.CAUGHT),
        ([told("A-01", Status.FAILED, WRONG), told("A-01", Status.PASSED)], Finding.WRONG_REASON),
        ([told("A-01", Status.RECORDED, RIGHT)], Finding.CAUGHT),
        ([told("A-01", Status.RECORDED), told("A-01", Status.PASSED)], Finding.MISSED),
        ([told("A-01", Status.PASSED), told("A-01", Status.UNKNOWN)], Finding.MISSED),
        ([told("A-01", Status.UNKNOWN)], Finding.NOT_ASKED),
        ([told("A-01", Status.NOT_APPLICABLE)], Finding.NOT_ASKED),
        ([], Finding.NOT_ASKED),
    ],
)
def test_a_case_catches_a_fault_only_by_the_mismatch_that_names_its_promise(said: list[Told], finding: Finding) -> None:
    row = kill(FAULT, ["A-01"], said, 1.0)
    assert row.findings == {"A-01": finding}
    assert row.proven is (finding is Finding.CAUGHT)
    assert row.missed == ({} if finding is Finding.CAUGHT else {"A-01": finding})


def test_cells_of_the_matrices_are_counted_apart_and_prove_nothing() -> None:
    said = [told("A-01", Status.PASSED), told("CIPM", Status.FAILED, RIGHT), told("CIPM", Status.PASSED)]
    row = kill(FAULT, ["A-01"], [*said, told("CIPM", Status.UNKNOWN)], 1.0)
    assert (row.matrix_failed, row.matrix_asked) == (1, 2)
    assert not row.proven
    assert row.mismatches == ()


def test_nobody_who_claims_it_and_a_trial_that_went_wrong_prove_nothing() -> None:
    assert not kill(FAULT, [], [], 1.0).proven
    assert not Kill(FAULT, {"A-01": Finding.CAUGHT}, trouble="the lab did not start").proven


@given(st.lists(st.sampled_from(list(Fault)), unique=True, min_size=1), st.floats(0.01, 1), st.integers(0, 99))
def test_a_share_of_the_faults_is_the_same_for_the_same_seed_and_never_empty(
    every: list[Fault], share: float, seed: int
) -> None:
    chosen = some(every, share, seed)
    assert chosen == some(every, share, seed)
    assert chosen
    assert [f for f in every if f in chosen] == list(chosen)
    assert len(chosen) <= share * len(every) + 1
    assert some(every, 1.0, seed) == tuple(every)


def test_a_sample_has_cells_of_every_matrix() -> None:
    cells = {"M1": [f"M1.{n}" for n in range(50)], "M2": ["M2.0"]}
    chosen = sample(cells, 5, 3)
    assert len(chosen) == len(set(chosen)) == 6
    assert "M2.0" in chosen
    assert chosen == sample(cells, 5, 3) != sample(cells, 5, 4)


def test_a_case_that_claims_nothing_is_named_and_a_fault_that_nobody_claims_has_an_empty_row() -> None:
    def case(identity: str, *catches: Fault) -> Case:
        spec, asked = service(endpoints=on("a")), dial(cluster_ip(), client=pod("a"))
        return Case(identity, "P.", Level.MUST, (SERVICE_TYPE,), catches, spec, asked, Dropped())

    found = claims([case("A-01", FAULT), case("A-02"), case("A-03", FAULT)], {"A-01", "A-02"})
    assert found.catchers[FAULT] == ("A-01",)
    assert found.elsewhere == ((FAULT, "A-03"),)
    assert found.catchers[Fault.NO_MASQUERADE] == ()
    assert found.idle == ("A-02",)


def test_what_is_kept_of_a_kill_matrix_can_be_read_again_and_is_shown() -> None:
    rows = [
        kill(FAULT, ["A-01", "A-02"], [told("A-01", Status.FAILED, RIGHT), told("A-02", Status.PASSED)], 0.0),
        Kill(Fault.NO_MASQUERADE, {}, trouble="no case claims to catch it"),
    ]
    text = kills.kept(rows, "2026-11-27", 7)
    json.loads(text)
    again = kills.read(text)
    assert (again.date, again.seed, dict(again.kills)) == ("2026-11-27", 7, {row.fault: row for row in rows})
    page = faults.page({FAULT: ("A-01", "A-02")}, again, None)
    assert (
        f"| `{FAULT.word}` | [A-01](catalogue.md#a-01) | {RIGHT.value} | 0 of 0 | [A-02](catalogue.md#a-02) |" in page
    )
    assert "1 of 2 faults caught; 1 of 2 claims hold." in page
