"""Lines survive the way through a file, are of the published schema, and are believed only for what they say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.model.facts import Fact, Facts
from conformance.model.result import Account, Excuse, Result, Timing, Variant
from conformance.model.source import Reason, Source
from conformance.model.verdict import Status
from conformance.model.way import Divergence, Passage, Step, Way
from conformance.results.codec import Malformed, dump, parse
from conformance.results.lines import EndpointPod, Evidence, Footer, Header, Learned, Line, NodeState, Objects

SCHEMA = json.loads((Path(__file__).parents[2] / "reports" / "results.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

TEXT = st.text(max_size=20)
TIME = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.isoformat(timespec="seconds")
)
SECONDS = st.floats(0, 1e6)
COUNT = st.integers(0, 10**6)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
SOURCE = st.builds(Source, text=TEXT, url=TEXT)
ACCOUNT = st.builds(
    Account,
    asked=TEXT,
    expected=TEXT,
    observed=TEXT,
    due=TEXT,
    reasons=st.lists(st.builds(Reason, TEXT, SOURCE), max_size=2).map(tuple),
)
TIMING = st.builds(
    Timing, judged=TIME, seconds=SECONDS, dials=COUNT, answers=COUNT, median_ms=SECONDS, slowest_ms=SECONDS
)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
RESULT = st.builds(
    Result,
    family=st.sampled_from(("", "IPv4", "IPv6")),
    protocol=st.sampled_from(("", "TCP", "UDP", "SCTP", "ICMP")),
    sources=st.lists(SOURCE, max_size=2).map(tuple),
    variant=st.builds(Variant, endpoints=TEXTS),
    account=st.none() | ACCOUNT,
    issue=st.none() | st.builds(Excuse, TEXT, TEXT, TEXT),
    objects=TEXTS,
    timing=TIMING,
)
FACTS = st.builds(
    Facts,
    version=st.builds(Fact, st.none() | TEXT, TEXT),
    zones=st.builds(Fact, st.none() | st.dictionaries(TEXT, TEXT, max_size=3), TEXT),
    local_addresses=st.builds(Fact, st.none() | st.dictionaries(TEXT, TEXTS, max_size=2), TEXT),
    masquerade_all=st.builds(Fact, st.none() | st.booleans(), TEXT),
)
PASSAGE = st.builds(Passage, source_port=COUNT, port=COUNT, steps=st.lists(st.builds(Step), max_size=2).map(tuple))
WAY = st.builds(Way, TEXT, st.lists(PASSAGE, max_size=2).map(tuple))
EVIDENCE = st.builds(
    Evidence,
    TEXT,
    pods=st.lists(st.builds(EndpointPod), max_size=1).map(tuple),
    nodes=st.lists(st.builds(NodeState, rules=TEXTS, unread=TEXTS), max_size=1).map(tuple),
    ways=st.lists(WAY, max_size=2).map(tuple),
    divergence=st.builds(Divergence, TEXT, COUNT, COUNT),
)
LINE: st.SearchStrategy[Line] = st.one_of(
    st.builds(Header, schema=st.just(1), started=TIME, nodes=TEXTS, facts=FACTS, seed=COUNT),
    st.builds(Learned, FACTS),
    st.builds(Objects, TEXT, st.lists(st.dictionaries(TEXT, PLAIN, max_size=3), max_size=2).map(tuple)),
    EVIDENCE,
    RESULT,
    st.builds(
        Footer,
        ended=TIME,
        seconds=SECONDS,
        planned=COUNT,
        counts=st.dictionaries(st.sampled_from(Status), COUNT, max_size=3),
        exit_code=st.sampled_from((0, 1, 2)),
    ),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(LINE)
def test_a_line_comes_back_as_it_was_and_is_of_the_schema(line: Line) -> None:
    text = dump(line)
    assert text.isascii()
    assert "\n" not in text
    assert parse(text) == line
    VALIDATOR.validate(json.loads(text))


def test_the_schema_is_one() -> None:
    VALIDATOR.check_schema(SCHEMA)


def a_cell(**changed: object) -> dict[str, Any]:
    words = ("id", "case", "area", "promise", "service", "client", "destination", "family", "protocol")
    return dict.fromkeys(words, "") | {"type": "cell", "level": "MUST", "sources": [], "status": "passed"} | changed


@pytest.mark.parametrize(
    ("plain", "place"),
    [
        (a_cell(level="must"), "cell.level is none of MUST, SHOULD, CHECK"),
        (a_cell(id=7), "cell.id is no str"),
        (a_cell(sources="x"), "cell.sources is no list"),
        (a_cell(sources=[{"kind": "api"}]), r"cell.sources\[0\] has no text"),
        (a_cell(account=[]), "cell.account is no dict"),
        (a_cell(timing={"seconds": True}), "cell.timing.seconds is no float"),
        (a_cell(timing={"seconds": 10**400}), "cell.timing.seconds is no number that a run has"),
        (a_cell(timing={"dials": 1.0}), "cell.timing.dials is no int"),
        (a_cell(variant={"affinity": 0}), "cell.variant.affinity is no bool"),
        ({"type": "facts", "facts": {"version": {"value": 7}}}, "facts.facts.version.value is no str"),
        ({"type": "facts", "facts": {"nodes": {"value": [{"name": "n"}]}}}, r"value\[0\] has no addresses"),
        ({"type": "cell"}, "cell has no id"),
        ({"type": "footer", "counts": {"odd": 1}}, "footer has no ended"),
        ({"type": 1}, 'no object with a "type"'),
        ([], 'no object with a "type"'),
    ],
)
def test_what_is_no_line_is_named_by_its_place(plain: object, place: str) -> None:
    with pytest.raises(Malformed, match=place):
        parse(json.dumps(plain))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 5000, '{"type": NaN}', "\x00"])
def test_what_is_no_json_is_no_line(text: str) -> None:
    with pytest.raises(Malformed, match="no JSON"):
        parse(text)


def test_objects_nested_without_end_are_no_line() -> None:
    deep = '{"type":"objects","id":"x","objects":[{"a":' + "[" * 900 + "]" * 900 + "}]}"
    with pytest.raises(Malformed):
        parse(deep)


def test_what_a_newer_kit_adds_is_passed_over() -> None:
    assert parse('{"type": "weather"}') is None
    assert parse(json.dumps(a_cell(mood="good"))) == parse(json.dumps(a_cell()))


def test_what_no_file_can_hold_is_replaced() -> None:
    read = parse(json.dumps(a_cell(id="\ud800x")))
    assert isinstance(read, Result)
    assert read.id == "\N{REPLACEMENT CHARACTER}x"
    held = parse('{"type": "objects", "id": "x", "objects": [{"a": 1e999, "\\udfff": 1}]}')
    assert isinstance(held, Objects)
    assert held.objects == ({"a": None, "\N{REPLACEMENT CHARACTER}": 1},)
    dump(held).encode()
