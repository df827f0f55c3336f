"""What holds of the parts that need no server, whatever they are given."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.lab.api import field_sets, protobuf, selectors
from conformance.lab.api.allocation import Addresses, Allocation, Full, NodePorts, Refused, address_pool
from conformance.lab.api.columns import age
from conformance.lab.api.patch import merge_patch, strategic_patch
from conformance.lab.api.registry import Registry
from conformance.lab.api.resources import resource
from conformance.lab.api.status import StatusError
from conformance.lab.api.store import Store
from conformance.lab.api.strategies.simple import EventStrategy
from conformance.lab.api.validation import ips, names

Json = dict[str, Any]

keys = st.text("abcde", min_size=1, max_size=3)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text("xyz", max_size=3)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
objects = st.dictionaries(keys, values, max_size=4)


@given(objects, objects)
def test_a_merge_patch_is_idempotent_and_rules(obj: Json, patch: Json) -> None:
    merged = merge_patch(obj, patch)
    assert merge_patch(merged, patch) == merged
    assert all(key not in merged for key, value in patch.items() if value is None)
    assert all(merged[key] == value for key, value in patch.items() if isinstance(value, (int, str)))
    assert all(merged[key] == value for key, value in obj.items() if key not in patch)


@given(objects, objects)
def test_a_strategic_patch_of_unkeyed_fields_is_a_merge_patch(obj: Json, patch: Json) -> None:
    assert strategic_patch("Unkeyed", obj, patch).keys() == merge_patch(obj, patch).keys()


ports = st.lists(
    st.fixed_dictionaries(
        {"port": st.integers(1, 9), "protocol": st.sampled_from(["TCP", "UDP"])}, optional={"name": keys}
    ),
    unique_by=lambda port: (port["port"], port["protocol"]),
    max_size=4,
)
services = st.builds(
    lambda selector, listed: {"kind": "Service", "metadata": {}, "spec": {"selector": selector, "ports": listed}},
    st.dictionaries(keys, st.text("xyz", max_size=3), max_size=3),
    ports,
)


@given(services)
def test_field_sets_survive_writing(service: Json) -> None:
    leaves = field_sets.leaves(service)
    assert field_sets.decode(field_sets.encode(leaves)) == leaves
    assert all(field_sets.value_at(service, path) is not None for path in leaves)


@given(services, services)
def test_what_is_applied_is_there_and_can_be_taken_away(old: Json, wanted: Json) -> None:
    merged = field_sets.merged(old, wanted)
    for path in field_sets.leaves(wanted):
        if field_sets.value_at(wanted, path) != {}:
            assert field_sets.value_at(merged, path) == field_sets.value_at(wanted, path)
    field_sets.relinquish(merged, field_sets.leaves(wanted), set())
    assert all(field_sets.value_at(merged, path) is None for path in field_sets.leaves(wanted))


def test_an_element_stays_while_somebody_owns_something_in_it() -> None:
    port = ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}')
    obj: Json = {"kind": "Service", "spec": {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 1, "name": "a"}]}}
    mine = {port, (*port, "f:port"), (*port, "f:name")}
    field_sets.relinquish(obj, mine, {(*port, "f:nodePort")})
    assert obj["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "nodePort": 1}]


@given(st.lists(st.integers(30000, 30020), max_size=40))
def test_ports_are_never_had_twice(asked: list[int]) -> None:
    pool = NodePorts(30000, 30020)
    had: set[int] = set()
    for number in asked:
        allocation = Allocation()
        if number in had:
            with pytest.raises(Refused, match="already allocated"):
                pool.take(number, allocation)
            pool.give(number, allocation)
            had.discard(number)
        else:
            pool.take(number, allocation)
            had.add(number)
        allocation.commit()
    while len(had) < 21:
        allocation = Allocation()
        number = pool.next(allocation)
        allocation.commit()
        assert number not in had
        had.add(number)
    with pytest.raises(Full):
        pool.next(Allocation())


def test_addresses_come_from_above_the_static_band() -> None:
    network = ip_network("10.96.0.0/24")
    addresses = Addresses((network,))
    allocation = Allocation()
    taken = [addresses.next("IPv4", allocation) for _ in range(254)]
    assert len(set(taken)) == 254
    assert {int(each.rpartition(".")[2]) for each in taken[:238]} == set(range(17, 255))
    with pytest.raises(Full):
        addresses.next("IPv4", allocation)
    assert address_pool(ip_network("fd00:96::/112")).last & 0xFFFF == 0xFFFF


@settings(max_examples=300)
@given(
    st.binary(max_size=60),
    st.sampled_from([b"\n\x09\n\x02v1\x12\x03Pod\x12", b"\n\x0d\n\x02v1\x12\x07Service\x12", b""]),
)
def test_damaged_protobuf_is_refused_in_words(data: bytes, head: bytes) -> None:
    try:
        decoded = protobuf.decode(b"k8s\x00" + head + data)
    except StatusError as error:
        assert error.code in (400, 415)
    else:
        assert decoded["kind"]


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ("a=b,c", {"a": "b", "c": ""}, True),
        ("a==b,!c", {"a": "b"}, True),
        ("a in (b, c), d notin (e)", {"a": "c"}, True),
        ("a.b/c=d", {"a.b/c": "d"}, True),
        ("a>3", {"a": "4"}, True),
        ("a<3", {"a": "x"}, False),
        ("a!=b", {}, True),
        ("a=", {"a": ""}, True),
    ],
)
def test_label_selectors(selector: str, labels: dict[str, str], matches: bool) -> None:
    predicate = selectors.labels(selector)
    assert predicate is not None
    assert predicate(labels) is matches


@given(st.ip_addresses())
def test_every_address_is_valid_in_its_own_writing(address: object) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert bool(ips.canonical_ip("x", str(address))) is bool(mapped)


def test_names_are_measured_as_the_api_does() -> None:
    assert names.dns_label("a" * 63) == [] and names.dns_label("a" * 64) == ["must be no more than 63 bytes"]
    assert names.port_name("http") == [] and names.port_name("80") == ["must contain at least one letter (a-z)"]
    assert names.qualified_name("example.com/Name_1") == [] and names.qualified_name("/a") != []


def test_ages_are_short() -> None:
    assert age(None) == "<unknown>"
    assert age("2020-01-01T00:00:00Z").endswith("d")


def test_old_events_make_room() -> None:
    store = Store()
    registry = Registry(store, {("", "events"): EventStrategy(store)})
    registry.create(resource("", "namespaces"), "", {"metadata": {"name": "n"}})
    for index in range(EventStrategy.kept + 5):
        event = {"metadata": {"name": f"e{index}"}, "involvedObject": {"kind": "Pod"}}
        registry.create(resource("", "events"), "n", event)
    events = store.collection(resource("", "events"))
    assert events.count() == EventStrategy.kept
    assert events.get("n", "e4") is None and events.get("n", "e5") is not None
