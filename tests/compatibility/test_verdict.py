"""What promises come to, over all their cells, and what was foretold of a network."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.certify.catalogue import Catalogue, Entry
from conformance.compatibility.foretold import Foretold, surprises
from conformance.compatibility.verdict import Standing, Word, verdict
from conformance.model.case import Level
from conformance.model.facts import Fact, Facts
from conformance.model.verdict import Status
from tests.compatibility.recorded import recorded
from tests.reports.runs import a_result, a_run

P, F, U, K, N = Status.PASSED, Status.FAILED, Status.UNKNOWN, Status.KNOWN_ISSUE, Status.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("statuses", "standing"),
    [
        ((P, P), Standing.HELD),
        ((P, F, U), Standing.BROKEN),
        ((P, U), Standing.UNKNOWN),
        ((P, K), Standing.EXCUSED),
        ((N, N), Standing.NOT_ASKED),
        ((Status.RECORDED,), Standing.NOT_ASKED),
    ],
)
def test_a_promise_is_what_its_cells_come_to(statuses: tuple[Status, ...], standing: Standing) -> None:
    run = a_run(replace(a_result(1, s), id=f"NP-01.{i}") for i, s in enumerate(statuses))
    (found,) = verdict("x", run, None).promises["nodeport"]
    assert found.standing is standing
    assert (found.judged, found.failed) == (sum(s in (P, F, K) for s in statuses), statuses.count(F))


def test_a_check_is_no_promise() -> None:
    run = a_run([a_result(1, P), replace(a_result(2, Status.RECORDED), level=Level.CHECK)])
    assert [p.case for p in verdict("x", run, None).promises["nodeport"]] == ["NP-01"]


@pytest.mark.parametrize(("status", "word"), [(P, Word.COMPATIBLE), (F, Word.INCOMPATIBLE), (U, Word.UNDECIDED)])
def test_the_word_is_the_runs(status: Status, word: Word) -> None:
    assert verdict("x", a_run([a_result(1, P), a_result(2, status)]), None).word is word


def test_what_the_run_left_out_is_counted() -> None:
    entry = Entry(Level.MUST, 1, "")
    rows = {"NP-01": entry, "NP-02": entry, "NP-03": Entry(Level.CHECK, 1, "")}
    found = verdict("x", a_run([a_result(1, P)]), Catalogue("0.1.0", rows))
    assert found.untold == 1
    missing = Catalogue("0.1.0", {"NP-01": Entry(Level.MUST, 2, "")})
    assert verdict("x", a_run([a_result(1, P)]), missing).counts() == {Standing.UNKNOWN: 1}


def test_what_is_known_of_the_plugin_and_its_engine_is_there_once() -> None:
    facts = Facts(cni=Fact("calico + nobody", "x"), policy_engine=Fact("calico", "x"))
    found = verdict("x", replace(a_run([a_result(1, P)]), facts=facts), None)
    assert [(one.name, one.part.value) for one in found.known] == [("calico", "cni"), ("calico", "policy")]


HAIRPIN = Foretold(compatible=False, fails=("CIP-04", "CNI-03"), causes=("no-hairpin",))


def test_what_was_foretold_surprises_nobody() -> None:
    assert list(surprises(verdict("x", recorded("no-hairpin"), None), HAIRPIN)) == []
    assert list(surprises(verdict("x", recorded("healthy"), None), Foretold(compatible=True))) == []


@pytest.mark.parametrize("name", ["healthy", "no-hairpin"])
def test_what_hangs_on_chance_surprises_nobody_either_way(name: str) -> None:
    said = Foretold(compatible=name == "healthy", perhaps=("CIP-04",), causes=("no-hairpin",))
    assert list(surprises(verdict("x", recorded(name), None), said)) == []


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        (
            "healthy",
            HAIRPIN,
            ["It was said to be incompatible, and is compatible.", "Not broken: CIP-04."],
        ),
        (
            "no-hairpin",
            Foretold(compatible=True),
            [
                "It was said to be compatible, and is incompatible.",
                "Also broken: CIP-04.",
                "The causes were said to be none, and are no-hairpin.",
            ],
        ),
        (
            "large-packets-lost",
            Foretold(False, ("CIP-04", "CIP-19", "DST-06"), causes=("large-packets-lost", "no-hairpin")),
            [
                "Not broken: CIP-04.",
                "The causes were said to be large-packets-lost and no-hairpin, and are large-packets-lost.",
            ],
        ),
    ],
)
def test_what_is_otherwise_is_said(name: str, said: Foretold, told: list[str]) -> None:
    assert list(surprises(verdict("x", recorded(name), None), said)) == told
