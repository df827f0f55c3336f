"""The audit of what a real kube-proxy wrote finds nothing, and whatever is dropped of it is found."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.audit import Table, audit, audit_node, read_tables
from conformance.audit.names import owner
from conformance.audit.steps import Match, Rule, Verdict
from conformance.model.addresses import Family
from conformance.oracle.endpoints import usable
from tests.audit.recorded import NODES, state, table, tables, text


@pytest.mark.parametrize("node", NODES)
def test_a_real_table_has_no_findings(node: str) -> None:
    found = read_tables([text(node)])
    assert set(found) == set(Family)
    assert audit_node(found, state(), node, strict=True) == ()


@pytest.mark.parametrize("node", NODES)
def test_another_nodes_table_has_findings(node: str) -> None:
    other = NODES[NODES.index(node) - 1]
    assert audit_node(read_tables([text(other)]), state(), node) != ()


def parts(whole: Table) -> list[tuple[str, str, int]]:
    """Everything that can be dropped of a table: (what, name, index)."""
    found = [("chain", name, 0) for name in whole.chains] + [("container", name, 0) for name in whole.containers]
    found += [("rule", name, i) for name, chain in whole.chains.items() for i in range(len(chain.rules))]
    return found + [("element", name, i) for name, c in whole.containers.items() for i in range(len(c.elements))]


def drop(whole: Table, what: str, name: str, index: int) -> object:
    """Take that part away; what it was."""
    if what == "chain":
        return whole.chains.pop(name)
    if what == "container":
        return whole.containers.pop(name)
    if what == "rule":
        return whole.chains[name].rules.pop(index)
    elements = whole.containers[name].elements
    return elements.pop(list(elements)[index])


def redundant(dropped: object, name: str, node: str, family: Family) -> str:
    """Why no packet can tell that the rule is gone; empty when one can.

    There is one such rule. Under externalTrafficPolicy Local, packets from the node's own addresses are marked and then
    sent to the endpoints of all nodes. Where all of these are on this node, the rule behind it, which sends everybody
    to the node's own endpoints, sends them to the same ones with the same mark.
    """
    local = Match("fib saddr type", frozenset({"local"}))
    if not (isinstance(dropped, tuple) and dropped[0] == local and isinstance(dropped[1], Verdict)):
        return ""
    service, port_name = owner(name).split(":")
    port = next(p for p in state().services[service].ports if p.name == port_name)
    cluster = state()
    (choice,) = usable(cluster, cluster.services[service], port, family, cluster.nodes[node])
    return "all endpoints are local" if choice.cluster.backends == choice.local.backends else ""


@given(data=st.data(), which=st.sampled_from(list(tables())))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_whatever_is_dropped_is_found(data: st.DataObject, which: tuple[str, Family]) -> None:
    node, family = which
    whole = table(node, family)
    what, name, index = data.draw(st.sampled_from(parts(whole)))
    dropped = drop(whole, what, name, index)
    findings = audit(whole, state(), node)
    assert findings or redundant(dropped, name, node, family), (what, name, index)


def test_the_redundant_rules_of_one_table() -> None:
    """All of n1's, so that the list is known: what the property above lets pass."""
    whole = table("n1", Family.IPV4)
    unseen: dict[str, Rule] = {}
    for chain in whole.chains.values():
        if not chain.name.startswith("external-"):
            continue
        for index, rule in enumerate(tuple(chain.rules)):
            del chain.rules[index]
            if not audit(whole, state(), "n1"):
                unseen[owner(chain.name)] = rule
                assert redundant(rule, chain.name, "n1", Family.IPV4)
            chain.rules.insert(index, rule)
    one_local_endpoint = {"affnpl-one", "extl-one", "lbl-one", "npl-one"}
    assert set(unseen) == {f"default/{name}:http" for name in one_local_endpoint} | {"default/udpl-one:dns"}
