"""Two runs compared: every pair of verdicts has its kind, and two recordings differ by what is documented alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from conformance.cli.recorded import observation
from conformance.cli.scenario import read_scenario
from conformance.compare.changes import Change, Kind, compare
from conformance.judge import account, judge
from conformance.judge.gist import gist
from conformance.model.addresses import Family, Protocol
from conformance.model.case import Profile, Submission
from conformance.model.cell import Cell
from conformance.model.client import DestinationKind
from conformance.model.cluster import ProxyMode
from conformance.model.facts import Fact, Facts
from conformance.model.result import Result
from conformance.model.verdict import Status
from conformance.oracle import expect, expect_cell
from conformance.plan.cells import cells_of_case, cells_of_matrix
from conformance.plan.rehearse import rehearse
from conformance.results.run import Run
from conformance.spec.mode_differences import between, table
from fixtures.catalogue import areas
from tests.oracle.test_groundtruth import unpacked
from tests.reports.runs import HEADER, a_result, a_run, an_account


def in_mode(mode: ProxyMode, *results: Result) -> Run:
    return a_run(results, header=replace(HEADER, facts=Facts(proxy_mode=Fact(mode, "said"))))


def kind(before: Status | None, after: Status | None) -> Kind | None:
    old, new = ([] if s is None else [a_result(1, s, account=an_account())] for s in (before, after))
    found = compare(a_run(old), a_run(new), table())
    assert len(found.changes) + found.same == 1
    return found.changes[0].kind if found.changes else None


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (Status.PASSED, Status.PASSED, None),
        (Status.PASSED, Status.FAILED, Kind.NEWLY_FAILING),
        (Status.KNOWN_ISSUE, Status.FAILED, Kind.NEWLY_FAILING),
        (Status.NOT_APPLICABLE, Status.FAILED, Kind.NEWLY_FAILING),
        (None, Status.FAILED, Kind.NEWLY_FAILING),
        (Status.FAILED, Status.FAILED, Kind.STILL_FAILING),
        (Status.FAILED, Status.PASSED, Kind.NEWLY_PASSING),
        (Status.KNOWN_ISSUE, Status.PASSED, Kind.NEWLY_PASSING),
        (Status.PASSED, Status.KNOWN_ISSUE, Kind.CHANGED),
        (Status.FAILED, Status.KNOWN_ISSUE, Kind.CHANGED),
        (Status.PASSED, Status.UNKNOWN, Kind.NO_LONGER_ASKED),
        (Status.PASSED, Status.NOT_APPLICABLE, Kind.NO_LONGER_ASKED),
        (Status.FAILED, None, Kind.NO_LONGER_ASKED),
        (Status.UNKNOWN, Status.PASSED, Kind.NEWLY_ASKED),
        (None, Status.PASSED, Kind.NEWLY_ASKED),
        (Status.UNKNOWN, Status.NOT_APPLICABLE, None),
        (Status.RECORDED, Status.RECORDED, None),
        (None, Status.RECORDED, None),
    ],
)
def test_every_pair_of_verdicts_has_its_kind(
    before: Status | None, after: Status | None, expected: Kind | None
) -> None:
    assert kind(before, after) is expected


def due(words: str, destination: str, status: Status = Status.PASSED) -> Result:
    account_ = replace(an_account(), due=words)
    return replace(a_result(1, status, account=account_), destination=destination)


def test_what_the_modes_do_differently_is_documented_between_those_modes_only() -> None:
    old, new = due("answered by web-a", "nodePort-loopback"), due("refused by RST", "nodePort-loopback")
    modes = compare(in_mode(ProxyMode.IPTABLES, old), in_mode(ProxyMode.NFTABLES, new), table())
    (change,) = modes.changes
    assert change.kind is Kind.DOCUMENTED
    assert change.difference
    assert (change.difference.id, change.words) == (
        "nodeport-localhost",
        ("passed: answered by web-a", "passed: refused by RST"),
    )
    assert {one.id for one in modes.unseen} == {"nodeport-firewalls", "conntrack-workaround"}
    nights = compare(in_mode(ProxyMode.NFTABLES, old), in_mode(ProxyMode.NFTABLES, new), table())
    assert [one.kind for one in nights.changes] == [Kind.CHANGED]
    assert nights.unseen == ()


def test_no_document_excuses_a_failure_or_a_silence_about_it() -> None:
    old = due("answered by web-a", "nodePort-loopback")
    for status, expected in ((Status.FAILED, Kind.NEWLY_FAILING), (Status.UNKNOWN, Kind.NO_LONGER_ASKED)):
        new = due("refused by RST", "nodePort-loopback", status)
        found = compare(in_mode(ProxyMode.IPTABLES, old), in_mode(ProxyMode.NFTABLES, new), table())
        assert [one.kind for one in found.changes] == [expected]


def test_a_promise_of_one_mode_alone_is_documented_by_its_case() -> None:
    other = replace(a_result(5, Status.NOT_APPLICABLE, message="of nftables mode"), id="CIP-06.ipv4-tcp", case="CIP-06")
    asked = replace(other, status=Status.PASSED, account=replace(an_account(), due="refused by ICMP"))
    found = compare(in_mode(ProxyMode.IPTABLES, other), in_mode(ProxyMode.NFTABLES, asked), table())
    assert [one.difference.id for one in found.changes if one.difference] == ["unused-port-of-a-cluster-ip"]


def recorded(mode: str, folder: Path) -> Iterator[Result]:
    """The IPv4 cells of a recording as a run would have them."""
    scenario = read_scenario(unpacked(mode, folder))
    for number, cell in enumerate(c for c in scenario.cells if c.destination.family is Family.IPV4):
        expectation = expect(scenario.state, cell.client, cell.destination)
        verdict = judge(expectation, observation(cell, expectation, scenario.names))
        to = cell.destination
        yield replace(
            a_result(number, verdict.status, account=account(verdict, "", "", cell.client.addresses)),
            id=f"{cell.client.name} {to.service} {to.kind.value} {to.node} {to.port_name} {to.protocol.value}",
            destination=to.kind.value,
        )


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Change, ...]:
    """What changes between the recordings of a real kube-proxy in iptables and in nftables mode."""
    before, after = (
        in_mode(ProxyMode(mode), *recorded(mode, tmp_path_factory.mktemp(mode))) for mode in ("iptables", "nftables")
    )
    return compare(before, after, table()).changes


def test_a_real_kube_proxy_in_both_modes_differs_by_what_is_documented(changes: tuple[Change, ...]) -> None:
    assert Counter(one.difference.id for one in changes if one.difference) == {
        "unused-port-of-a-cluster-ip": 590,
        "nodeport-addresses": 380,
        "nodeport-localhost": 114,
        "no-endpoints-from-a-node": 3,
    }
    others = {(one.kind, one.cell.destination, *one.words) for one in changes if not one.difference}
    assert others == {
        # local-nodeport-of-another-node, which the kit's cells show by their IDs and a recording's have none.
        (Kind.CHANGED, "nodePort", f"passed: {before}", f"passed: {after}")
        for before, after in (
            ("answered by o1, source changed", "silence of o1"),
            ("answered by s1, s2", "answered by s2, source kept, silence of s1"),
            ("answered by s1, source changed, silence of s2", "silence of s1, s2"),
        )
    }


def test_what_the_oracle_says_otherwise_of_iptables_mode_is_documented() -> None:
    known = between(ProxyMode.IPTABLES, ProxyMode.NFTABLES, table())
    undocumented = []
    seen = set()
    for one in rehearse(every_cell()):
        proxy = replace(one.scene.state.proxy, mode=ProxyMode.IPTABLES)
        other = expect_cell(one.cell, replace(one.scene.state, proxy=proxy), one.client, one.destination)
        due = [gist(each.outcome, one.client.addresses) for each in (other, one.expectation)]
        if due[0] != due[1]:
            label = one.cell.destination.label
            shown = [each.id for each in known if each.shows(one.cell.id, label, due)]
            seen.update(shown[:1])
            undocumented += [] if shown or one.cell.profile is not Profile.CORE else [(one.cell.id, *due)]
    assert undocumented == []
    # The last one shows only where the network keeps pods' addresses, which is not known of the imagined cluster.
    assert seen | {"local-nodeport-of-another-node"} == {each.id for each in known if each.cases or each.destinations}


def every_cell() -> Iterator[Cell]:
    """Those that dial, once, over IPv4 and TCP: the others are alike."""
    for area in areas():
        for cell in chain(
            (c for case in area.cases for c in cells_of_case(case, area.name)),
            (c for matrix in area.matrices for c in cells_of_matrix(matrix, area.name)),
        ):
            alike = cell.family is Family.IPV6 or cell.protocol is Protocol.UDP
            asks = not alike and not isinstance(cell.what, Submission) and not cell.what.flow and not cell.what.pin
            if asks and cell.destination.kind is not DestinationKind.RULES:
                yield cell


def test_every_difference_names_cases_and_destinations_that_there_are() -> None:
    cases = {c.id for area in areas() for c in area.cases} | {m.id for area in areas() for m in area.matrices}
    kinds = {kind.value for kind in DestinationKind}
    for one in table():
        assert {name.split(".")[0] for name in one.cases} <= cases
        assert set(one.destinations) <= kinds
        assert one.source.startswith("https://")
        assert len(one.due) in (0, 2)
    assert between(ProxyMode.IPTABLES, ProxyMode.IPTABLES, table()) == ()
    assert between(None, ProxyMode.NFTABLES, table()) == ()
