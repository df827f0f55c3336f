"""Two programs written apart: the audit finds nothing in what the lab's reference proxy gives the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.audit import Detail, audit, read_tables
from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.desired import desired
from conformance.lab.proxy.transaction import Existing, delete_table, full
from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState, ProxyMode
from tests.lab.proxy.conftest import Netns, namespace
from tests.oracle.strategies import NAMES, states

BIT = st.sampled_from((14, 15, 20))


@pytest.fixture(scope="module")
def kernel() -> Iterator[Netns]:
    with namespace() as made:
        yield made


def listed(kernel: Netns, state: ClusterState, node: str, detail: Detail) -> str:
    """What nft prints of the tables that the reference proxy makes for ``state``."""
    configuration = Configuration(
        detect_local=state.proxy.detect_local,
        cluster_cidrs=state.proxy.cluster_cidrs,
        bridge_interface=detail.bridge_interface,
        interface_name_prefix=detail.interface_name_prefix,
        node_port_addresses=state.proxy.node_port_addresses,
        masquerade_all=state.proxy.masquerade_all,
        masquerade_bit=detail.masquerade_bit,
    )
    here = state.nodes[node]
    for family in Family:
        whole = desired(
            state.services.values(),
            state.slices,
            here,
            configuration,
            state.proxy.service_cidrs,
            family=family,
            interface_addresses=(*here.addresses, *here.local),
        )
        kernel.nft(delete_table(whole.table))
        kernel.nft(full(whole, Existing(), rehook=True).text)
    return kernel.run("nft", "-j", "list", "ruleset")


@given(state=states(), node=st.sampled_from(NAMES), bit=BIT)
@settings(max_examples=60)
def test_no_finding_in_any_configuration(kernel: Netns, state: ClusterState, node: str, bit: int) -> None:
    state = replace(state, proxy=replace(state.proxy, mode=ProxyMode.NFTABLES, version=(1, 36)))
    detail = Detail(masquerade_bit=bit, bridge_interface="cni0", interface_name_prefix="veth")
    for family, table in read_tables([listed(kernel, state, node, detail)]).items():
        assert audit(table, state, node, detail, strict=True) == (), family


@given(state=states(), node=st.sampled_from(NAMES))
@settings(max_examples=20)
def test_another_mark_is_found(kernel: Netns, state: ClusterState, node: str) -> None:
    state = replace(state, proxy=replace(state.proxy, mode=ProxyMode.NFTABLES, version=(1, 36)))
    detail = Detail(bridge_interface="cni0", interface_name_prefix="veth")
    for table in read_tables([listed(kernel, state, node, detail)]).values():
        assert audit(table, state, node, replace(detail, masquerade_bit=13))
