"""Excuses hold for their cells, versions, modes and days, and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from conformance.errors import UsageError
from conformance.kit import kit_root
from conformance.model.cell import Cell, Excluded
from conformance.model.cluster import ProxyMode
from conformance.plan import imagine
from conformance.plan.cells import plan
from conformance.spec.known_issues import KnownIssue, excuse, in_force, lapsed, read
from fixtures.catalogue import areas, known_ids

FILE = kit_root() / "fixtures" / "known_issues.toml"
LAST = date(2027, 6, 30)
ISSUE = KnownIssue(
    cases=("CTK-04", "LBM.lb-etpl-web-a", "LBM.lb-etpl-*host-b.loadBalancer.pod-?", "CTK-07.*-udp.after"),
    since=(1, 32, 0),
    before=(1, 36, 3),
    modes=(ProxyMode.NFTABLES, ProxyMode.IPTABLES),
    not_builds=("nftconform.lab",),
    link="https://github.com/kubernetes/kubernetes/issues/139628",
    summary="stale flows",
    expires=LAST,
)
NFT = ProxyMode.NFTABLES


@pytest.mark.parametrize(
    ("cell", "holds"),
    [
        ("CTK-04", True),
        ("CTK-04.ipv4-udp", True),
        ("CTK-04.gone.ipv4-udp", True),
        ("CTK-041.ipv4-udp", False),
        ("CTK-0", False),
        ("LBM.lb-etpl-web-a.loadBalancer.pod-c.ipv4-tcp", True),
        ("LBM.lb-etpl-web-a-web-b.loadBalancer.pod-c.ipv4-tcp", False),
        ("LBM.lb-etpl-host-b.loadBalancer.pod-c.ipv4-tcp", True),
        ("LBM.lb-etpl-aff-host-b.loadBalancer.pod-c.ipv4-tcp", True),
        ("LBM.lb-etpl-aff-host-b.nodePort-a.loadBalancer.pod-c", False),
        ("LBM.lb-etpl-host-b.loadBalancer", False),
        ("CTK-07.ipv6-udp.after", True),
        ("CTK-07.ipv6-udp.before", False),
        ("CTK-07.ipv6-tcp.after", False),
        ("CTK-07", False),
    ],
)
def test_it_excuses_the_cells_that_it_names(cell: str, holds: bool) -> None:
    assert (excuse(in_force([ISSUE], "v1.34.1", NFT, LAST), cell) is ISSUE) is holds


@pytest.mark.parametrize(
    ("version", "holds"),
    [
        ("v1.31.9", False),
        ("v1.32.0", True),
        ("1.32", True),
        ("v1.36.2", True),
        ("v1.36.2+k3s1", True),
        ("v1.36.2-gke.1051000", True),
        ("v1.36.3", False),
        ("v1.36.3-rc.1", False),
        ("v1.100.0", False),
        ("v1.36.2+nftconform.lab", False),
        ("v1.36.2+nftconform.lab.dirty", False),
        ("v1.36.2+nftconform.laboratory", True),
        ("v1.36.2-nftconform.lab", True),
        ("unknown", False),
        ("", False),
        (None, False),
    ],
)
def test_it_excuses_the_versions_that_have_the_bug(version: str | None, holds: bool) -> None:
    assert (excuse(in_force([ISSUE], version, NFT, LAST), "CTK-04") is ISSUE) is holds


def test_without_an_end_it_is_in_every_later_version() -> None:
    assert excuse(in_force([replace(ISSUE, before=None)], "v1.99.0", NFT, LAST), "CTK-04")


@pytest.mark.parametrize(
    ("mode", "holds"), [(NFT, True), (ProxyMode.IPTABLES, True), (ProxyMode.IPVS, False), (None, False)]
)
def test_it_excuses_the_modes_that_have_the_bug(mode: ProxyMode | None, holds: bool) -> None:
    assert (excuse(in_force([ISSUE], "v1.36.2", mode, LAST), "CTK-04") is ISSUE) is holds


@pytest.mark.parametrize("mode", [*ProxyMode, None])
def test_without_modes_it_is_in_every_mode(mode: ProxyMode | None) -> None:
    assert excuse(in_force([replace(ISSUE, modes=())], "v1.36.2", mode, LAST), "CTK-04")


def test_it_excuses_on_its_last_day_and_is_named_from_the_next_on() -> None:
    issues, after = [ISSUE], date(2027, 7, 1)
    assert excuse(in_force(issues, "v1.36.2", NFT, LAST), "CTK-04")
    assert lapsed(issues, ["CTK-04.ipv4-udp"], "v1.36.2", NFT, LAST) == []
    assert excuse(in_force(issues, "v1.36.2", NFT, after), "CTK-04") is None
    assert lapsed(issues, ["CTK-04.ipv4-udp"], "v1.36.2", NFT, after) == issues


def test_an_expired_excuse_that_would_not_have_been_needed_is_not_named() -> None:
    after = date(2027, 7, 1)
    assert lapsed([ISSUE], ["ETP-03.ipv4-udp"], "v1.36.2", NFT, after) == []
    assert lapsed([ISSUE], ["CTK-04.ipv4-udp"], "v1.37.0", NFT, after) == []


def test_the_first_that_holds_is_the_excuse() -> None:
    other = replace(ISSUE, summary="another")
    assert (
        excuse(in_force([replace(ISSUE, expires=date(2020, 1, 1)), other, ISSUE], "v1.36.2", NFT, LAST), "CTK-04")
        is other
    )


GOOD = """
[[issue]]
cases = ["CTK-04"]
since = "1.32"
link = "https://github.com/kubernetes/kubernetes/issues/139628"
summary = "stale flows"
expires = 2027-06-30
"""


def test_what_is_left_out_has_its_default() -> None:
    (issue,) = read(GOOD, "f")
    link = "https://github.com/kubernetes/kubernetes/issues/139628"
    assert issue == KnownIssue(("CTK-04",), (1, 32, 0), link, "stale flows", LAST)


def test_everything_can_be_said() -> None:
    more = 'before = "1.36.3"\nmodes = ["nftables", "ipvs"]\nnot_builds = ["nftconform.lab"]\nsometimes = true\n'
    (issue,) = read(GOOD + more, "f")
    assert issue.before == (1, 36, 3)
    assert issue.modes == (ProxyMode.NFTABLES, ProxyMode.IPVS)
    assert issue.not_builds == ("nftconform.lab",)
    assert issue.sometimes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[issue", "f is no TOML: "),
        ("[[issues]]", "f holds issues, where only [[issue]] tables are expected."),
        ("issue = 3", "f holds issue, where only [[issue]] tables are expected."),
        ("issue = [3]", "f holds issue, where only [[issue]] tables are expected."),
        (GOOD + 'fixed = "1.37"', "f: issue 1 says fixed, which means nothing."),
        (GOOD + GOOD.replace("link", "#"), "f: issue 2 has no link, which is an https:// address."),
        (GOOD.replace('["CTK-04"]', "[]"), "f: issue 1 has cases = [], which is not a list of case or cell IDs."),
        (GOOD.replace('["CTK-04"]', '"CTK-04"'), "f: issue 1 has cases = 'CTK-04', which is not"),
        (GOOD.replace("1.32", "1.32.x"), "f: issue 1 has since = '1.32.x', which is not a version"),
        (GOOD.replace('"1.32"', "1.32"), "f: issue 1 has since = 1.32, which is not a version"),
        (GOOD.replace("https", "http"), "f: issue 1 has link = 'http://"),
        (GOOD.replace("stale flows", " "), "f: issue 1 has summary = ' ', which is not a sentence."),
        (GOOD.replace("2027-06-30", '"2027-06-30"'), "f: issue 1 has expires = '2027-06-30', which is not a date"),
        (GOOD.replace("2027-06-30", "2027-06-30T00:00:00"), "f: issue 1 has expires = datetime"),
        (GOOD + 'before = "1.32.0"', "f: issue 1 ends before 1.32.0, which is not after its beginning 1.32."),
        (GOOD + 'modes = ["nft"]', "f: issue 1 has modes = ['nft'], which is not a list of nftables, iptables, ipvs."),
        (GOOD + "modes = []", "f: issue 1 has modes = [], which is not a list of"),
        (GOOD + "sometimes = false", "f: issue 1 has sometimes = False, which is not true."),
        (GOOD + "not_builds = [1]", "f: issue 1 has not_builds = [1], which is not a list of words."),
    ],
)
def test_a_malformed_file_is_told_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        read(text, "f")
    assert told.value.cause.startswith(said)


def test_an_empty_file_excuses_nothing() -> None:
    assert read("", "f") == ()


def test_the_kits_own_file_is_well_formed_and_excuses_nothing_in_the_lab() -> None:
    issues = read(FILE.read_text(encoding="utf-8"), FILE.name)
    assert issues
    for mode in ProxyMode:
        assert [i.link for i in issues if i.is_in("v1.36.2+nftconform.lab", mode)] == []
    assert [i.link for i in issues if i.since < (1, 32, 0)] == []


def test_the_kits_own_file_names_cases_and_cells_that_exist() -> None:
    planned = [p for a in areas() for p in plan(a.cases, a.matrices, a.name, imagine.LANDSCAPE)]
    cells = [p.cell if isinstance(p, Excluded) else p for p in planned]
    issues = read(FILE.read_text(encoding="utf-8"), FILE.name)
    assert [name for issue in issues for name in issue.cases if not _names_something(name, issue, cells)] == []


def _names_something(name: str, issue: KnownIssue, cells: list[Cell]) -> bool:
    return name in known_ids() or any(replace(issue, cases=(name,)).meets(cell.id) for cell in cells)
