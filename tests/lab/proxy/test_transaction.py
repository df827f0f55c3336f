"""Whatever the way, the kernel ends with the same table: step by step, all anew, or from nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.lab.proxy.desired import merge
from conformance.lab.proxy.fragment import fragment
from conformance.lab.proxy.place import LocalTraffic, Place
from conformance.lab.proxy.ruleset import Ruleset
from conformance.lab.proxy.transaction import Existing, delete_chains, full, partial
from conformance.model.addresses import Family, Protocol
from conformance.model.kube import (
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    Policy,
    Service,
    ServicePort,
    ServiceType,
)

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns, namespace

PLACE = Place(
    Family.IPV4,
    "n1",
    zone="z1",
    node_ip="172.30.99.11",
    node_port_ips=("172.30.99.11",),
    local_traffic=LocalTraffic("ip saddr 10.244.0.0/16", "ip saddr != 10.244.0.0/16"),
    service_cidrs=("10.96.0.0/16",),
)

endpoints = st.builds(
    Endpoint,
    addresses=st.integers(1, 4).map(lambda i: (f"10.244.1.{i}",)),
    node=st.sampled_from(["n1", "n2"]),
    ready=st.booleans(),
    serving=st.booleans(),
    terminating=st.booleans(),
    hint_zones=st.sampled_from([(), ("z1",), ("z2",)]),
)
ports = st.builds(
    ServicePort,
    name=st.sampled_from(["", "http"]),
    protocol=st.sampled_from(Protocol),
    port=st.sampled_from([80, 81]),
    target_port=st.just(8080),
    node_port=st.sampled_from([0, 30080, 30081]),
)


@st.composite
def services(draw: st.DrawFn) -> tuple[Service, EndpointSlice]:
    number = draw(st.integers(1, 3))
    port = draw(ports)
    service = Service(
        namespace="default",
        name=f"s{number}",
        type=ServiceType.LOAD_BALANCER,
        ports=(port,),
        cluster_ips=(f"10.96.0.{number}",),
        external_ips=draw(st.sampled_from([(), ("198.51.100.1",)])),
        ingress=draw(st.sampled_from([(), (Ingress("203.0.113.1"),)])),
        internal_policy=draw(st.sampled_from(Policy)),
        external_policy=draw(st.sampled_from(Policy)),
        affinity_seconds=draw(st.sampled_from([None, 10, 10800])),
        source_ranges=draw(st.sampled_from([(), ("172.30.99.0/24", "172.30.0.0/16", "192.0.2.1/32")])),
    )
    listed = EndpointPort(port.name, port.protocol, draw(st.sampled_from([8080, 8081])))
    some = tuple(draw(st.lists(endpoints, max_size=4)))
    return service, EndpointSlice("default", f"s{number}-x", service.name, Family.IPV4, (listed,), some)


def table(state: list[tuple[Service, EndpointSlice]]) -> Ruleset:
    return merge({s.key: fragment(s, [one], PLACE) for s, one in state}, PLACE)[0]


states = st.lists(services(), max_size=3, unique_by=lambda pair: pair[0].name).map(table)


def sweep(netns: Netns, table_name: str, chains: frozenset[str]) -> None:
    netns.nft(delete_chains(table_name, chains))


@pytest.fixture(scope="module", name="place")
def _place(new_netns: type[namespace]) -> Iterator[Netns]:
    with new_netns() as netns:
        yield netns


def begin(place: Netns, ruleset: Ruleset) -> None:
    """Nothing is there but ``ruleset``."""
    place.nft("flush ruleset\n" + full(ruleset, Existing(), rehook=True).text)


@settings(max_examples=20)
@given(first=states, second=states, third=states)
def test_every_way_leads_to_the_same_table(place: Netns, first: Ruleset, second: Ruleset, third: Ruleset) -> None:
    begin(place, third)
    wanted = place.listing()
    begin(place, first)
    one = partial(first, second)
    place.nft(one.text)
    # The chains of the first step are still there, and may come to life again.
    two = partial(second, third, one.stale_chains)
    place.nft(two.text)
    sweep(place, third.table, (one.stale_chains - third.chains.keys()) | two.stale_chains)
    assert place.listing() == wanted
    begin(place, first)
    again = full(third, Existing(frozenset(first.chains), frozenset(first.containers)), rehook=True)
    place.nft(again.text)
    sweep(place, third.table, again.stale_chains)
    assert place.listing() == wanted


def test_an_affinity_set_has_a_size_that_the_kernel_was_not_told(place: Netns) -> None:
    """For a size that is told it makes room for all of it at once, 2 MiB a set, and walks through that every second."""
    port = ServicePort("http", Protocol.TCP, 80, 8080)
    service = Service("default", "s1", ServiceType.CLUSTER_IP, (port,), ("10.96.0.1",), affinity_seconds=10)
    listed = (EndpointPort("http", Protocol.TCP, 8080),)
    one = EndpointSlice("default", "s1-x", "s1", Family.IPV4, listed, (Endpoint(("10.244.2.1",), node="n2"),))
    told = full(table([(service, one)]), Existing(), rehook=True).text
    assert "flags dynamic,timeout" in told
    assert " size " not in told
    begin(place, table([(service, one)]))
    assert any('"size": 65535' in line for line in place.listing())


@given(first=states)
def test_nothing_changed_is_nothing_to_do(first: Ruleset) -> None:
    assert partial(first, first).text == ""


def test_a_change_touches_only_its_service() -> None:
    def pair(number: int, *addresses: str) -> tuple[Service, EndpointSlice]:
        port = ServicePort("http", Protocol.TCP, 80, 8080)
        service = Service("default", f"s{number}", ServiceType.CLUSTER_IP, (port,), (f"10.96.0.{number}",))
        some = tuple(Endpoint((a,), node="n2") for a in addresses)
        listed = (EndpointPort("http", Protocol.TCP, 8080),)
        return service, EndpointSlice("default", f"s{number}-x", service.name, Family.IPV4, listed, some)

    before = table([pair(1, "10.244.2.1"), pair(2, "10.244.2.2")])
    after = table([pair(1, "10.244.2.1"), pair(2, "10.244.2.2", "10.244.2.3")])
    lines = partial(before, after).text.splitlines()
    assert [line.split()[:2] for line in lines] == [["flush", "chain"], ["add", "rule"]]
    assert all("default/s2/tcp/http" in line for line in lines)
    gone = partial(after, table([pair(1, "10.244.2.1")]))
    assert {name.partition("-")[0] for name in gone.stale_chains} == {"service"}
    assert "delete chain" not in gone.text
