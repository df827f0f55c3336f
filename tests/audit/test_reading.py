"""What nft prints: in pieces, in the spellings of its versions, cut short, and as somebody hostile would have it."""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.audit import Kind, MalformedRuleset, audit_node, read_tables
from conformance.audit.expressions import rule
from conformance.audit.steps import Mark, Masquerade, Match, Unknown, Verdict, told
from conformance.audit.stream import objects
from tests.audit.recorded import Json, Listing, state, text


def pieces(whole: str, size: int) -> Iterator[str]:
    return (whole[i : i + size] for i in range(0, len(whole), size))


@pytest.mark.parametrize("size", [1000, 4096, 65536])
def test_pieces_of_any_length_mean_the_same(size: int) -> None:
    assert read_tables(pieces(text("n1"), size)) == read_tables([text("n1")])


@given(st.lists(st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.none()))), st.integers(1, 7))
@settings(max_examples=50)
def test_every_object_once_and_in_order(plain: list[dict[str, Any]], size: int) -> None:
    for indent in (None, 2):
        assert list(objects(pieces(json.dumps({"nftables": plain}, indent=indent) + "\n", size))) == plain


def test_one_long_object_is_not_read_again_and_again() -> None:
    """A map of 100,000 elements in pieces of 4 KiB: linear, where trying after every piece would take minutes."""
    whole = json.dumps({"nftables": [{"set": list(range(400_000))}]})
    start = time.monotonic()
    (found,) = objects(pieces(whole, 4096))
    assert len(found["set"]) == 400_000
    assert time.monotonic() - start < 20


BROKEN = {
    "empty": "",
    "no JSON": "Error: No such file or directory",
    "cut short in an object": text("n1")[:5000],
    "cut short between objects": '{"nftables": [{"table": {"family": "ip", "name": "kube-proxy"}},',
    "not closed": '{"nftables": []',
    "more behind": '{"nftables": []} {"nftables": []}',
    "another object": '{"rules": []}',
    "no object in it": '{"nftables": [1]}',
    "nested too deeply": '{"nftables": [' + "[" * 200_000,
    "a chain without a name": '{"nftables": [{"chain": {"family": "ip", "table": "kube-proxy"}}]}',
    "elements that are none": json.dumps(
        {"nftables": [{"map": {"family": "ip", "table": "kube-proxy", "name": "m", "type": "x", "elem": [1]}}]}
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_not_half_read(name: str) -> None:
    with pytest.raises(MalformedRuleset):
        read_tables([BROKEN[name]])


def test_tables_of_others_are_passed_over() -> None:
    listing = Listing.of("n1")
    listing.objects.append({"chain": {"family": "inet", "table": "kube-proxy", "name": "x", "hook": "input"}})
    listing.objects.append({"chain": {"family": "ip", "table": "cni", "name": "x"}})
    listing.objects.append({"flowtable": {"family": "ip", "table": "kube-proxy"}})
    assert audit_node(listing.tables(), state(), "n1", strict=True) == ()


def test_a_table_that_is_not_there() -> None:
    listing = Listing.of("n1")
    del (found := dict(listing.tables()))[next(iter(found))]
    (finding,) = audit_node(found, state(), "n1")
    assert (finding.kind, finding.where) == (Kind.MISSING, "table ip kube-proxy")


def from_source(right: object) -> Json:
    return {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": right}}


def picks(**numgen: object) -> list[Json]:
    return [{"vmap": {"key": {"numgen": {"mode": "random", **numgen}}, "data": {"set": [[0, {"drop": None}]]}}}]


META = {"meta": {"key": "mark"}}
SPELLINGS: list[tuple[list[Json], list[Json]]] = [
    ([{"masquerade": {"flags": "fully-random"}}], [{"masquerade": {"flags": ["fully-random"]}}]),
    ([{"reject": {"type": "icmp", "expr": "port-unreachable"}}], [{"reject": None}]),
    ([{"counter": {"packets": 3, "bytes": 9}}, {"drop": None}], [{"counter": None}, {"drop": None}]),
    (
        [{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}}],
        [{"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": ["new"]}}],
    ),
    (
        [{"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["saddr"]}}, "right": "local"}}],
        [{"match": {"op": "==", "left": {"fib": {"result": "type", "flags": "saddr"}}, "right": "local"}}],
    ),
    (
        [{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}}],
        [{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": 6}}],
    ),
    ([from_source({"set": ["10.0.0.0", "10.0.0.1"]})], [from_source({"range": ["10.0.0.0", "10.0.0.1"]})]),
    ([from_source({"prefix": {"addr": "10.0.0.1", "len": 32}})], [from_source("10.0.0.1")]),
    (picks(mod=1, offset=0), picks(mod=1)),
    (
        [{"dnat": {"addr": "10.0.0.1", "port": 80}}],
        [{"dnat": {"family": "ip", "addr": {"concat": ["10.0.0.1", 80]}}}],
    ),
]


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_spellings_of_one_rule(one: list[Json], other: list[Json]) -> None:
    assert rule(one) == rule(other)
    assert not any(isinstance(step, Unknown) for step in rule(one))


def test_steps() -> None:
    marked: Json = {"match": {"op": "!=", "left": {"&": [META, 16384]}, "right": 0}}
    off: Json = {"mangle": {"key": META, "value": {"^": [META, 16384]}}}
    assert rule([marked, off, {"masquerade": None}, {"jump": {"target": "c"}}]) == (
        Match("meta mark & 0x4000", frozenset({"0"}), negated=True),
        Mark("^", 16384),
        Masquerade(frozenset()),
        Verdict("jump", "c"),
    )


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["match", "vmap", "dnat", "mangle", "set", "elem", "op", "left", "right", "key", "data"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.lists(json_like, max_size=3))
@settings(max_examples=200)
def test_whatever_is_not_known_is_kept_as_such(plain: list[Any]) -> None:
    found = rule(plain)
    assert len(found) <= len(plain)
    assert hash(found) == hash(rule(plain))
    assert isinstance(told(found), str)


JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**30,
    0.5,
    "",
    "x",
    "@x",
    [],
    {},
    [[]],
    {"elem": {}},
    {"goto": {}},
    {"set": [1]},
)


def places(plain: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401  JSON
    """The way to everything inside."""
    inside = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for step, each in inside:
        yield (*path, step)
        yield from places(each, (*path, step))


@functools.cache
def every_place() -> list[tuple[Any, ...]]:
    return list(places(Listing.of("n2").objects))


@given(st.data())
@settings(max_examples=40)
def test_nonsense_anywhere_is_a_finding_or_a_malformed_ruleset(data: st.DataObject) -> None:
    """What a node prints is somebody else's text: it may make no sense, but it must not break the audit."""
    listing = Listing.of("n2")
    *way, last = data.draw(st.sampled_from(every_place()))
    inside: Any = listing.objects
    for step in way:
        inside = inside[step]
    inside[last] = data.draw(st.sampled_from(JUNK))
    with contextlib.suppress(MalformedRuleset):
        audit_node(listing.tables(), state(), "n2")


def by_number(listing: Listing) -> None:
    """As nft prints where there is no /etc/protocols."""
    for name in ("service-ips", "service-nodeports", "no-endpoint-services", "no-endpoint-nodeports", "firewall-ips"):
        kind = listing.one("map", name)
        kind["elem"] = json.loads(json.dumps(kind["elem"]).replace('"tcp"', "6").replace('"udp"', "17"))


def renamed(listing: Listing) -> None:
    """Other names, no comments and counters everywhere."""
    for one in listing.objects:
        (fields,) = one.values()
        fields.pop("comment", None)
        if "expr" in fields:
            fields["expr"].append({"counter": {"packets": 0, "bytes": 0}})
    listing.objects = json.loads(json.dumps(listing.objects).replace("CDOXNYHX", "AAAAAAAA"))


def marked_by_a_jump(listing: Listing) -> None:
    """As kube-proxy up to 1.31 marked."""
    listing.add("chain", name="mark-for-masquerade")
    marking = {"mangle": {"key": META, "value": {"|": [META, 16384]}}}
    listing.add("rule", chain="mark-for-masquerade", expr=[marking])
    for found in listing.rules("external-*"):
        found["expr"] = [{"jump": {"target": "mark-for-masquerade"}} if e == marking else e for e in found["expr"]]


def one_choice_written_out(listing: Listing) -> None:
    """One endpoint needs no dice."""
    found = listing.rules("service-*default/cip-one/tcp/http")[0]
    found["expr"][1] = {"dnat": {"addr": "10.244.1.13", "port": 8080}}


def dispatched_by_way_of_another_chain(listing: Listing) -> None:
    """A chain more on the way."""
    chain = "service-AAAAAAAA-default/cip-two/tcp/http"
    element = next(e for e in listing.elements("service-ips") if "default/cip-two" in str(e))
    listing.add("chain", name=chain)
    listing.add("rule", chain=chain, expr=[{"goto": element[1]["goto"]}])
    element[1] = {"goto": {"target": chain}}


@pytest.mark.parametrize(
    "edit", [by_number, renamed, marked_by_a_jump, one_choice_written_out, dispatched_by_way_of_another_chain]
)
def test_another_form_of_the_same_is_no_finding(edit: Callable[[Listing], None]) -> None:
    listing = Listing.of("n1")
    edit(listing)
    assert listing.findings() == ()
