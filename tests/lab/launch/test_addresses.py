"""The address plan holds together for every size of lab."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.addresses import MAX_NODES, AddressPlan
from conformance.model.addresses import contains

sizes = st.integers(1, MAX_NODES)


@given(sizes)
def test_nobody_shares_an_address(count: int) -> None:
    plan = AddressPlan(count)
    gateways = [text.partition("/")[0] for text in (*plan.fabric_gateways, *plan.fabric2_gateways)]
    machines = [(*node.addresses, *node.secondary_addresses) for node in plan.nodes]
    addresses = [*gateways, *chain(*machines), *chain(*(client.addresses for client in plan.externals))]
    assert len(set(addresses)) == len(addresses)


@given(sizes)
def test_everybody_is_where_the_ranges_say(count: int) -> None:
    plan = AddressPlan(count)
    primary = [node.addresses for node in plan.nodes] + [client.addresses for client in plan.externals]
    for addresses in primary:
        assert all(map(contains, plan.fabric_gateways, addresses))
    for node in plan.nodes:
        assert all(map(contains, plan.fabric2_gateways, node.secondary_addresses))
        assert all(
            contains(whole, part.partition("/")[0])
            for whole, part in zip(plan.cluster_cidrs, node.pod_cidrs, strict=True)
        )
    assert all(map(contains, plan.service_cidrs, plan.dns_service_ips))


@given(sizes)
def test_external_clients_enter_through_the_first_and_the_last_node(count: int) -> None:
    plan = AddressPlan(count)
    assert [client.via for client in plan.externals] == [plan.nodes[0], plan.nodes[-1]]


@pytest.mark.parametrize("count", [0, -1, MAX_NODES + 1])
def test_other_sizes_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 16 nodes"):
        AddressPlan(count)
