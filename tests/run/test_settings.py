"""What a user asks for, and how it travels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.arrange.terms import Terms
from conformance.errors import ClusterError, UsageError
from conformance.model.addresses import Family
from conformance.model.cell import Cell, Excluded
from conformance.model.cluster import ProxyMode
from conformance.model.facts import Fact, Facts, unknown
from conformance.model.kube import Node
from conformance.plan.cells import cells_of_case
from conformance.plan.landscape import ExternalSite
from fixtures.catalogue import areas
from fixtures.planning import cell_of, planned
from fixtures.settings import (
    Choice,
    Settings,
    check_cells,
    check_entrances,
    check_nodes,
    check_reachable,
    external,
    settle,
)
from reports.facts import described

NODES = tuple(Node(f"n{i}", (f"172.18.0.{i}",), zone=f"z{i % 2}") for i in range(1, 5))
FACTS = Facts(
    nodes=Fact(NODES, "Node objects"),
    families=Fact((Family.IPV4,), "ServiceCIDR objects"),
    unschedulable=Fact(("n2",), "Node objects"),
    proxy_mode=Fact(ProxyMode.IPTABLES, "ConfigMap"),
    may_exec=Fact(True, "SelfSubjectAccessReview"),
)
SETTINGS = Settings(
    kubeconfig="/k",
    cases=("ETP-03", "NPM.np-none.nodePort-a"),
    externals=("x@n4=local",),
    told=("cni=calico",),
    terms=Terms(max_nodes=3, toleration=("none",)),
    facts_json=FACTS.to_json(),
)


def test_so_many_nodes_are_used_spread_over_zones_and_always_with_the_entrances() -> None:
    few = replace(SETTINGS, terms=Terms(max_nodes=2))
    assert [n.name for n in few.nodes] == ["n4", "n1"]  # an entrance, and one of the other zone; n2 is cordoned
    assert few.landscape.nodes == ("n4", "n1")
    told = described(FACTS, few.landscape.nodes, few.landscape.families, few.profile)
    assert told["nodes"] == "n4, n1 of 4"
    assert {n.name for n in replace(few, terms=Terms()).nodes} == {"n1", "n3", "n4"}
    assert [n.name for n in replace(few, terms=Terms(), left_out=("n4", "n1")).nodes] == ["n3"]
    with pytest.raises(UsageError, match="None of the 4 Ready nodes may be used"):
        check_nodes(replace(few, left_out=("n1", "n3", "n4")))


def test_settings_survive_the_way_to_a_worker() -> None:
    assert Settings.from_json(SETTINGS.to_json()) == SETTINGS
    assert Settings.from_json(SETTINGS.to_json()).facts == FACTS


def test_the_landscape_leaves_out_cordoned_nodes_and_begins_where_clients_enter() -> None:
    landscape = SETTINGS.landscape
    assert landscape.nodes[0] == "n4"
    assert "n2" not in landscape.nodes
    assert landscape.externals == (ExternalSite("x", "n4"),)
    assert landscape.families == (Family.IPV4,)
    assert landscape.mode is ProxyMode.IPTABLES


@pytest.mark.parametrize(
    ("identity", "wanted"),
    [
        ("ETP-03.ipv4-tcp", True),
        ("ETP-030.ipv4-tcp", False),
        ("NPM.np-none.nodePort-a.pod-a.ipv4-tcp", True),
        ("NPM.np-none.nodePort-b.pod-a.ipv4-tcp", False),
    ],
)
def test_a_case_names_all_its_cells_and_a_cell_itself(identity: str, wanted: bool) -> None:
    cell = replace(next(cells_of_case(areas()[0].cases[0], "area")), id=identity, story=identity)
    assert SETTINGS.wants_cell(cell) is wanted
    assert replace(SETTINGS, cases=()).wants_cell(cell)


@pytest.mark.parametrize(
    ("version", "mode", "asked"),
    [
        ("v1.36.2", ProxyMode.NFTABLES, False),
        ("v1.36.2", ProxyMode.IPTABLES, True),
        ("v1.37.0", ProxyMode.NFTABLES, True),
        ("v1.36.2+nftconform.lab", ProxyMode.NFTABLES, True),
    ],
)
def test_what_would_harm_others_on_this_cluster_is_not_asked(version: str, mode: ProxyMode, asked: bool) -> None:
    facts = replace(FACTS, version=Fact(version, "/version"), proxy_mode=Fact(mode, "ConfigMap"))
    settings = replace(SETTINGS, cases=("PRX-11",), facts_json=facts.to_json())
    area = next(a for a in areas() if a.name == "proxy")
    found = [p for p in planned(settings, area.name, area.cases, area.matrices) if cell_of(p).family is Family.IPV4]
    assert found
    assert {isinstance(p, Cell) for p in found} == {asked}
    assert asked or all("/139515" in p.why for p in found if isinstance(p, Excluded))


def test_a_question_of_a_story_brings_the_whole_story() -> None:
    first = next(cells_of_case(areas()[0].cases[0], "area"))
    before, after = (replace(first, id=f"LIV-01.ipv4-udp.{name}", story="LIV-01.ipv4-udp") for name in ("on", "off"))
    other = replace(first, id="LIV-01.ipv6-udp.on", story="LIV-01.ipv6-udp")
    only = replace(SETTINGS, cases=("LIV-01.ipv4-udp.off",))
    assert [only.wants_cell(c) for c in (before, after, other)] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "site", "prefix"),
    [
        ("laptop=local", ExternalSite("laptop"), ()),
        ("x1@node-a=exec:docker exec -i x1", ExternalSite("x1", "node-a"), ("docker", "exec", "-i", "x1")),
    ],
)
def test_an_external_client_is_a_name_a_door_and_a_way(text: str, site: ExternalSite, prefix: tuple[str, ...]) -> None:
    found, where = external(text)
    assert (found, where.prefix) == (site, prefix)


@pytest.mark.parametrize("text", ["laptop", "=local", "@n=local", "x=carrier-pigeon", "x=exec:"])
def test_an_external_client_that_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        external(text)


def test_an_unknown_case_is_refused_before_any_cluster_is_asked() -> None:
    with pytest.raises(UsageError, match=r"There is no case ETP-99\.ipv4-tcp\. .*plan"):
        settle(Choice(kubeconfig="/does/not/exist", cases=("ETP-99.ipv4-tcp",)))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("etp-03", "Did you mean ETP-03?"),
        ("ETP-3", "Did you mean ETP-03?"),
        ("nonsense", "`nftconform plan"),
    ],
)
def test_who_mistypes_a_case_is_told_a_likely_one(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"There is no case {name}") as refused:
        settle(Choice(kubeconfig="/does/not/exist", cases=(name,)))
    assert refused.value.hint.startswith(hint)


def test_a_door_that_is_no_node_is_refused() -> None:
    check_entrances(SETTINGS)
    with pytest.raises(UsageError, match=r"no Ready node n9.*n1, n2, n3, n4"):
        check_entrances(replace(SETTINGS, externals=("x@n9=local",)))


def test_a_fact_that_is_none_is_refused_before_any_cluster_is_asked() -> None:
    with pytest.raises(UsageError, match=r"There is no fact 'cnii'\. Did you mean cni\?"):
        settle(Choice(kubeconfig="/does/not/exist", told=("cnii=calico",)))


def test_without_a_node_there_is_nothing_to_ask() -> None:
    check_nodes(SETTINGS)
    facts = replace(FACTS, nodes=unknown("not permitted: grant 'list nodes'"))
    with pytest.raises(ClusterError, match=r"not known: not permitted: grant 'list nodes'\."):
        check_nodes(replace(SETTINGS, facts_json=facts.to_json()))


def test_a_cell_that_no_case_has_is_refused_even_beside_one_that_is_there() -> None:
    check_cells(replace(SETTINGS, cases=("ETP-03", "ETP-03.ipv4-tcp")))
    with pytest.raises(UsageError, match=r"ETP-03 has no cell ETP-03\.ipv5-tcp.*plan --cells --case ETP-03"):
        check_cells(replace(SETTINGS, cases=("ETP-03.ipv4-tcp", "ETP-03.ipv5-tcp")))


def test_a_run_is_asked_again_by_the_same_options() -> None:
    chosen = Choice(kubeconfig="/k", context="c", externals=("x1@n1=exec:docker exec -i x1",))
    assert chosen.again == "--kubeconfig /k --context c --external 'x1@n1=exec:docker exec -i x1'"
    assert Choice().again == ""
    assert replace(chosen, lab_nodes=3).again == "--lab"
    assert replace(chosen, lab_nodes=3, told=("cni=my bridge",)).again == "--lab --fact 'cni=my bridge'"
    assert Choice(told=("proxy_mode=ipvs",)).again == "--fact proxy_mode=ipvs"
    assert replace(chosen, lab_nodes=5).again == "--lab --nodes 5"


def test_an_external_client_that_cannot_dial_is_refused_before_anything_is_created() -> None:
    check_reachable(replace(SETTINGS, externals=("here@n4=local",)))
    for how in ("exec:false", "exec:no-such-command", "ssh://nobody@127.0.0.1:1"):
        with pytest.raises(ClusterError, match="external client x1 cannot be used"):
            check_reachable(replace(SETTINGS, externals=(f"x1@n4={how}",)))
