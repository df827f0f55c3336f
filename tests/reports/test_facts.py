"""Facts as a person reads them, and nothing of a cluster that a terminal would obey."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode
from conformance.model.effort import Effort, Phase
from conformance.model.facts import Fact, Facts, unknown
from conformance.model.kube import Node
from reports.facts import Line, as_json, page, properties, spent, table, value_of

MANY = {f"node-{i:04}": "6.1.0" if i else "5.15.0" for i in range(5000)}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "unknown"),
        ("calico", "calico"),
        (True, "yes"),
        (False, "no"),
        (ProxyMode.NFTABLES, "nftables"),
        ((Family.IPV4, Family.IPV6), "IPv4, IPv6"),
        ((), "none"),
        ((Node("node-a", ()),), "node-a"),
        (tuple(f"10.0.{i}.0/24" for i in range(10)), ", ".join(f"10.0.{i}.0/24" for i in range(8)) + " and 2 more"),
        ({"a": "6.1.0", "b": "6.1.0"}, "6.1.0 on all 2"),
        ({"a": "6.1.0"}, "6.1.0 on a"),
        ({"a": ("10.0.0.1",), "b": ()}, "10.0.0.1 on a; none on b"),
        ("\x1b[31mred\u202e", "\\x1b[31mred\\u202e"),
    ],
)
def test_values_in_words(value: object, words: str) -> None:
    assert value_of(Fact(value, "x")) == words


def test_five_thousand_nodes_fit_a_line() -> None:
    names = ", ".join(f"node-{i:04}" for i in range(1, 7))
    assert value_of(Fact(MANY, "x")) == f"5.15.0 on node-0000; 6.1.0 on {names} and 4993 more"


def test_the_table_says_what_is_unknown_and_why() -> None:
    out = StringIO()
    facts = Facts(cni=Fact("[bold]calico[/bold]", "x"), dns=unknown("not permitted: grant 'get services'"))
    Console(file=out, width=200).print(table(facts))
    lines = {line.split()[0]: line for line in out.getvalue().splitlines()}
    assert "[bold]calico[/bold]" in lines["cni"]
    assert "unknown" in lines["dns"]
    assert "grant 'get services'" in lines["dns"]


def test_json_and_properties_have_every_fact_with_its_source() -> None:
    facts = Facts(proxy_mode=Fact(ProxyMode.NFTABLES, "the ConfigMap"), dns_server=unknown("\x1b]0;x\x07"))
    plain = json.loads(as_json(facts))
    assert plain["proxy_mode"] == {"value": "nftables", "source": "the ConfigMap"}
    assert plain["cni"]["value"] is None
    assert Facts.from_json(as_json(facts)) == facts
    told = properties(facts)
    assert told["fact.proxy_mode"] == "nftables (the ConfigMap)"
    assert told["fact.dns_server"] == "unknown (\\x1b]0;x\\x07)"
    assert len(told) == len(plain)


def test_the_page_lists_facts_and_by_permission_what_it_helps() -> None:
    lines = page([Line("a", "A?", "here", ("list x",)), Line("b", "B?", "there", ("list x", "get y"))]).splitlines()
    assert "| `a` | A? | here |" in lines
    assert "| `list x` | `a`, `b` |" in lines
    assert "| `get y` | `b` |" in lines


def test_of_a_run_that_did_not_count_processor_time_by_phase_nothing_is_said_of_it() -> None:
    older = Effort({Phase.DIAL: 2.0}, processes=1, cpu=3.0)
    assert spent(older).keys() == {"time", "work", "the kit itself"}
    assert spent(replace(older, busy={Phase.DIAL: 0.5}))["of it at work"] == "dial 0.5 s"
