"""What is read on nodes, from places that answer as a script says, and nothing that they are not asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from conformance.cluster.failures import ApiRefused
from conformance.cluster.output import NOT_FOUND
from conformance.errors import ClusterError
from conformance.judge import judge
from conformance.model.addresses import Family
from conformance.model.cell import Cell
from conformance.model.demand import Aspect, Demand, Either
from conformance.model.observation import End
from conformance.model.outcome import Expectation, Shows
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case
from fixtures.nodes import Nodes
from fixtures.readings import read
from fixtures.sight import CLEANUP_FAILURES, SYNC_FAILURES, Sight, Unread
from suites.node import state
from tests.audit.recorded import text

Answer = str | int | ClusterError
"""What is printed, the status of a failure, or why there is no end."""

LISTING = "nft --terse -j list ruleset"
NONE = "cat: /proc/net/x: No such file or directory"
DEV = "head\nhead\n    lo: 0\n  eth0: 0\n"
PAGE = f"# TYPE {SYNC_FAILURES} counter\n# TYPE {CLEANUP_FAILURES} counter\n"


class Script(BaseBackend):  # type: ignore[misc]
    """Answers by the words that a command contains; the longest that fit."""

    NAME = "script"

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__("script")
        self.answers = dict(answers)
        self.asked: list[str] = []

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:  # noqa: ANN401
        whole = self.get_command(command, *args)
        self.asked.append(whole)
        fitting = [words for words in self.answers if words in whole]
        assert fitting, f"nobody asks a node {whole!r}"
        answer = self.answers[max(fitting, key=len)]
        if isinstance(answer, ClusterError):
            raise answer
        code, out = (0, answer) if isinstance(answer, str) else (answer, "")
        return self.result(code, whole.encode(), out, NONE if code == 1 else "")


def place(answers: Mapping[str, Answer]) -> Host:
    backend = Script(answers)
    host = Host(backend)
    backend.set_host(host)
    return host


AGENT: Mapping[str, Answer] = {
    "uname": "Linux\n",
    "/etc/os-release": "ID=alpine\n",
    "osrelease": "6.1.0\n",
    "/proc/net/dev": DEV,
    "rp_filter": "all 0\neth0 0\n",
    "ip_forward": "1\n",
    "all/forwarding": "1\n",
    "nf_conntrack": "1000\n10\n0\n86400\n",
    "metrics": PAGE,
    "proxyMode": "nftables\n",
    "test -e /proc/net/ip_vs": 1,
}
PROXY: Mapping[str, Answer] = {
    LISTING: text("n1"),
    "nft --terse list ruleset": "",
    "nft --check": "",
    "nft --version": "nftables v1.0.6 (Lester Gooch #5)\n",
    "legacy-save": NOT_FOUND,
    "_tables_names": 1,
    "ipset": NOT_FOUND,
}
HOST: Mapping[str, Answer] = {"nft --version": "nftables v1.0.9", "list ruleset": ""}


def sight(
    agent: Mapping[str, Answer] | None = None,
    proxy: Mapping[str, Answer] | None = None,
    host: Mapping[str, Answer] | None = None,
) -> Sight:
    """A healthy node but for these answers."""
    return Sight(
        "n1", place({**AGENT, **(agent or {})}), place({**PROXY, **(proxy or {})}), place({**HOST, **(host or {})})
    )


CELLS = [cell for case in state.CASES for cell in cells_of_case(case, "node")]


def shows(cell: Cell) -> Shows:
    assert isinstance(cell.then, Shows)
    return cell.then


@pytest.mark.parametrize("cell", CELLS, ids=[cell.id for cell in CELLS])
def test_a_healthy_node_brings_exactly_what_its_row_demands_and_passes(cell: Cell) -> None:
    seen = Nodes([sight()]).of(cell)
    assert not isinstance(seen, str)
    (dial,) = seen.dials
    assert dial.end is End.ANSWERED, dial.detail
    demands = [one for d in shows(cell).demands for one in (d.demands if isinstance(d, Either) else (d,))]
    assert set(json.loads(dial.detail)) == {one.reading for one in demands if isinstance(one, Demand)}
    assert judge(Expectation(shows(cell), ()), seen).status is Status.PASSED


def readings(where: Sight, aspect: Aspect, family: Family = Family.IPV4) -> Mapping[str, object]:
    found = read(where, aspect, family)
    assert found is not None
    return found


def test_the_expressions_that_are_refused_are_found_one_by_one() -> None:
    assert readings(sight(proxy={"fib daddr type local": 1}), Aspect.KERNEL)["refused expressions"] == ["fib lookups"]


def test_an_nft_that_crashes_is_told() -> None:
    found = readings(sight(proxy={LISTING: 139}), Aspect.PROXY_NFT)
    assert found["failures of it"] == [f"'{LISTING}' ended with 139: it said nothing"]


def test_a_node_without_nft_of_its_own_has_nothing_to_look_at() -> None:
    bare = sight(host={"nft --version": NOT_FOUND})
    assert read(bare, Aspect.HOST_NFT, None) is None
    (cell,) = [one for one in CELLS if one.destination.word == Aspect.HOST_NFT.value]
    assert Nodes([bare]).of(cell) == "no node has what is looked at here (node-host-nft)"


def test_strict_filters_are_named() -> None:
    found = readings(sight({"rp_filter": "all 1\nlo 0\neth0 0\n"}), Aspect.REVERSE_PATH)
    assert found == {"strict reverse path filters": ["eth0"]}


def test_why_there_is_no_kube_proxy_to_ask_is_told() -> None:
    bare = replace(sight(), proxy=None, host=None, lacking="not permitted")
    for aspect in (Aspect.PROXY_NFT, Aspect.HOOKS, Aspect.KERNEL, Aspect.FLAVOURS):
        with pytest.raises(Unread, match="not permitted"):
            read(bare, aspect, Family.IPV4)
    assert readings(replace(bare, host=place(PROXY)), Aspect.HOOKS)["base chains"]


def test_what_ipvs_mode_left_is_found_in_three_places() -> None:
    where = sight(
        {
            "/proc/net/dev": f"{DEV}kube-ipvs0: 0\n",
            "test -e /proc/net/ip_vs": "",
            "cat -- /proc/net/ip_vs": "TCP  0A rr\n",
        },
        {"ipset": "KUBE-CLUSTER-IP\nmine\n"},
    )
    assert readings(where, Aspect.IPVS_MODE)["leftovers"] == [
        "kube-ipvs0", "1 virtual servers", "ipset KUBE-CLUSTER-IP"
    ]  # fmt: skip


def test_iptables_legacy_counts_where_its_program_is() -> None:
    where = sight(proxy={"iptables-legacy-save": ":KUBE-SERVICES - [0:0]\n-A KUBE-SERVICES -j RETURN\n"})
    assert readings(where, Aspect.IPTABLES_MODE)["leftovers"] == ["iptables-legacy KUBE-SERVICES"]
    assert readings(where, Aspect.FLAVOURS)["mixed flavours of iptables"] == []


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (NOT_FOUND, "neither iptables-legacy-save nor a way"),
        ("nat\nfilter\n", r"iptables-legacy has tables \(nat, filter\), but no program lists them"),
        (2, "neither iptables-legacy-save nor a way"),
    ],
)
def test_legacy_tables_that_nobody_can_list_are_unknown_and_not_none(names: Answer, why: str) -> None:
    for aspect in (Aspect.IPTABLES_MODE, Aspect.FLAVOURS):
        with pytest.raises(Unread, match=why):
            read(sight(proxy={"_tables_names": names}), aspect, Family.IPV4)


def counting(syncs: int) -> str:
    return f'{PAGE}{SYNC_FAILURES}{{ip_family="IPv4"}} {syncs}\n'


def failures(before: Answer, after: Answer) -> str | int | None:
    """The failed syncs that a run sees, or why it sees none."""
    where = sight({"metrics": before})
    nodes = Nodes([where])
    backend: Script = where.agent.backend
    backend.answers["metrics"] = after
    (cell,) = [one for one in CELLS if one.destination.word == Aspect.FAILURES.value]
    seen = nodes.of(cell)
    assert not isinstance(seen, str)
    (dial,) = seen.dials
    return dial.detail if dial.end is End.ERROR else json.loads(dial.detail)["failed syncs"]


def test_failures_are_those_of_the_run() -> None:
    assert failures(counting(4), counting(4)) == 0
    assert failures(PAGE, counting(2)) == 2
    assert failures(counting(4), counting(0)) == (
        "n1: kube-proxy was restarted during the run, and its metrics began anew"
    )
    assert failures(1, PAGE) == "n1: kube-proxy's metrics could not be read when the run began"
    assert str(failures(PAGE, "<html>")).startswith("n1: kube-proxy's metrics have no kubeproxy_sync_proxy_rules_nft")


@pytest.mark.parametrize("garbage", ["", "x\ny\n", "\x00", "1 2\n3"])
def test_garbage_is_unknown_whatever_is_looked_at(garbage: str) -> None:
    agent: dict[str, Answer] = {**dict.fromkeys(AGENT, garbage), "uname": "Linux\n", "test -e /proc/net/ip_vs": 1}
    proxy: dict[str, Answer] = dict.fromkeys(PROXY, garbage)
    for cell in CELLS:
        seen = Nodes([replace(sight(agent, proxy, dict.fromkeys(HOST, proxy[LISTING])))]).of(cell)
        assert not isinstance(seen, str)
        assert judge(Expectation(shows(cell), ()), seen).status is Status.UNKNOWN, cell.id


def test_a_kube_proxy_pod_that_was_replaced_is_found_again() -> None:
    (cell,) = [one for one in CELLS if one.id == "NOD-11.ipv4"]
    gone = ApiRefused(404, "NotFound", "pods kube-proxy-1 not found", "Look again.")
    where = replace(sight(proxy={LISTING: gone}), find_proxy=lambda: place(PROXY))
    seen = Nodes([where]).of(cell)
    assert not isinstance(seen, str)
    assert judge(Expectation(shows(cell), ()), seen).status is Status.PASSED


def test_a_lost_stream_is_tried_once_more_and_a_refusal_is_told() -> None:
    (cell,) = [one for one in CELLS if one.id == "NOD-11.ipv4"]
    lost = ApiRefused(403, "Forbidden", "pods/exec is forbidden", "Grant it.", denied=True)
    where = sight(proxy={LISTING: lost})
    seen = Nodes([where]).of(cell)
    assert not isinstance(seen, str)
    assert judge(Expectation(shows(cell), ()), seen).status is Status.UNKNOWN
    proxy = where.proxy
    assert proxy is not None
    assert [one for one in proxy.backend.asked if one == LISTING] == [LISTING, LISTING]


def test_facts_are_learned_where_they_can_be() -> None:
    learned = Nodes([sight(), replace(sight(), node="n2", proxy=None, host=None)]).learned()
    assert learned["nft_versions"].value == {"n1": "1.0.6"}
    assert learned["host_nft_versions"].value == {"n1": "1.0.9"}
    assert learned["kernel_modes"].value == {"n1": "nftables"}
    assert learned["foreign_drops"].value == {"n1": "none"}
    nobody = Nodes([replace(sight(), proxy=None, host=None)]).learned()
    assert nobody["nft_versions"].value is None
    assert nobody["nft_versions"].source == "nft in kube-proxy's pods: none could be asked"
