"""What a run comes to by profile: each case once, the result from the numbers alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.certify.catalogue import Claim
from conformance.certify.report import Implementation, Outcome, ProfileReport, Statistics, folder_of, outcome_of
from conformance.model.case import Level, Profile
from conformance.model.cell import Cell
from conformance.model.facts import Fact
from conformance.model.result import Excuse, Result
from conformance.model.verdict import Status
from conformance.results.run import Run
from tests.certify.runs import but, cells, passed, report_on, run_of, told

NO_OPTION = "needs a client outside the cluster; none was given (--external)"
LACKS = "this cluster's Services have no IPv6"


def profile(run: Run, claim: Claim) -> ProfileReport:
    (found,) = (one for one in report_on(run).profiles if one.name is claim)
    return found


def test_a_healthy_run_is_a_success_of_every_profile() -> None:
    report = report_on(run_of())
    assert [(one.name, one.result) for one in report.profiles] == [(claim, Outcome.SUCCESS) for claim in Claim]
    assert [one.statistics.passed for one in report.profiles] == [7, 12, 1, 6]
    assert (report.kit_version, report.run.cells, report.run.ended) == ("0.1.0", 282, "2026-11-22T00:01:00+00:00")
    assert (report.cluster.kubernetes_version, report.cluster.cni) == ("v1.36.2", "unknown")


@pytest.mark.parametrize(
    ("words", "claim", "outcome", "counted", "cases"),
    [
        ({"SRC-01.ipv4-tcp": (Status.FAILED, "")}, Claim.CNI, "failure", "failed", ("SRC-01",)),
        ({"HCN-01": (Status.UNKNOWN, "")}, Claim.CORE, "partial", "unknown", ("HCN-01",)),
        ({"HCN-01.ipv6": (Status.NOT_APPLICABLE, LACKS)}, Claim.CORE, "partial", "skipped", ("HCN-01",)),
        ({"TOP-01": (Status.NOT_APPLICABLE, NO_OPTION)}, Claim.EXTENDED, "partial", "skipped", ("TOP-01",)),
        ({"TOP-0": (Status.NOT_APPLICABLE, LACKS)}, Claim.EXTENDED, "success", "unsupported", None),
        ({"TOP-01.ipv6": (Status.NOT_APPLICABLE, LACKS)}, Claim.EXTENDED, "success", "unsupported", ()),
        ({"HCN-08": (Status.NOT_APPLICABLE, LACKS)}, Claim.KUBE_PROXY_NFTABLES, "partial", "unsupported", ("HCN-08",)),
        ({"HCN-08": (Status.RECORDED, "")}, Claim.KUBE_PROXY_NFTABLES, "partial", "unsupported", ("HCN-08",)),
    ],
)
def test_one_case_decides(
    words: dict[str, tuple[Status, str]], claim: Claim, outcome: str, counted: str, cases: tuple[str, ...] | None
) -> None:
    run = run_of(but(words))
    found = profile(run, claim)
    lists = {
        "failed": found.failed_cases,
        "unknown": found.unknown_cases,
        "skipped": found.skipped_cases,
        "unsupported": found.unsupported,
    }
    if cases is None:
        cases = tuple(f"TOP-0{number}" for number in range(1, 10))
    assert (found.result.value, lists.pop(counted)) == (outcome, cases)
    assert set(lists.values()) == {()}
    others = [one for one in report_on(run).profiles if one.name is not claim]
    assert all(one.result is Outcome.SUCCESS for one in others)


def test_what_failed_outweighs_what_was_not_asked() -> None:
    found = profile(run_of(but({"HCN-01.ipv4": (Status.UNKNOWN, ""), "HCN-01.ipv6": (Status.FAILED, "")})), Claim.CORE)
    assert (found.failed_cases, found.unknown_cases) == (("HCN-01",), ())


def test_what_is_excused_is_no_failure_and_names_its_issue() -> None:
    def each(cell: Cell) -> Result:
        excuse = Excuse("https://example.org/1", "It hangs.", "2027-01-01")
        return replace(told(cell, Status.KNOWN_ISSUE), issue=excuse) if cell.case == "HCN-02" else passed(cell)

    found = profile(run_of(each), Claim.CORE)
    assert (found.result, found.statistics.excused) == (Outcome.SUCCESS, 1)
    assert [(issue.link, issue.cases) for issue in found.known_issues] == [("https://example.org/1", ("HCN-02",))]


def test_levels_are_the_catalogues_whatever_the_results_say() -> None:
    run = run_of(but({"HCN-01": (Status.NOT_APPLICABLE, LACKS), "HCN-02": (Status.FAILED, "")}))
    lenient = replace(run, results=tuple(replace(one, level=Level.CHECK, area="node") for one in run.results))
    assert report_on(lenient).profiles == report_on(run).profiles


def test_a_cell_that_the_run_never_came_to_makes_its_case_unknown() -> None:
    lost = next(cell.id for cell in cells() if cell.case == "SRC-01")
    run = run_of(lambda cell: None if cell.id == lost else passed(cell), missing=1)
    assert profile(run, Claim.CNI).unknown_cases == ("SRC-01",)
    assert profile(replace(run, results=()), Claim.CNI).statistics == Statistics(0, 0, 0, 0, 0, 6)


def test_a_truncated_run_has_no_end() -> None:
    report = report_on(replace(run_of(), footer=None))
    assert report.run.ended == ""


def test_a_run_of_core_has_no_profile_of_nftables() -> None:
    names = [one.name for one in report_on(run_of(profile=Profile.CORE)).profiles]
    assert names == [Claim.CORE, Claim.EXTENDED, Claim.CNI]


def test_what_the_cluster_says_is_made_safe_to_print() -> None:
    run = run_of()
    facts = replace(run.facts, cni=Fact("\x1b[31mevil" + "x" * 500, "s"), kernels=Fact({"a": "6.1", "b": "6.1"}, "s"))
    cluster = report_on(replace(run, facts=facts)).cluster
    assert cluster.kernels == ("6.1",)
    assert cluster.cni.startswith("\\x1b[31mevil")
    assert len(cluster.cni) < 400


@pytest.mark.parametrize(
    ("numbers", "outcome"),
    [
        ((5, 0, 0, 0, 0, 0), Outcome.SUCCESS),
        ((5, 0, 2, 3, 0, 0), Outcome.SUCCESS),
        ((5, 1, 0, 0, 4, 4), Outcome.FAILURE),
        ((5, 0, 0, 0, 1, 0), Outcome.PARTIAL),
        ((5, 0, 0, 0, 0, 1), Outcome.PARTIAL),
        ((0, 0, 1, 1, 0, 0), Outcome.PARTIAL),
    ],
)
def test_the_result_follows_from_the_numbers(numbers: tuple[int, ...], outcome: Outcome) -> None:
    assert outcome_of(Statistics(*numbers)) is outcome


@pytest.mark.parametrize(
    ("organization", "version", "folder"),
    [("Acme Inc.", "v1.2+k3s1", "acme-inc-net/v1.2+k3s1"), ("../..", "..", "unnamed-net/unnamed")],
)
def test_a_folder_to_publish_in_stays_below_its_own(organization: str, version: str, folder: str) -> None:
    assert folder_of(Implementation(organization, "net", "u", version, ())) == folder
