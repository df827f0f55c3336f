"""``bench.jsonl``: what is written is read, and what is not ours is refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.errors import UsageError
from conformance.measured.bench import Bench, begins, dump, read
from conformance.measured.lines import KINDS, Line, Note
from tests.measured.benches import bench, header

SCHEMA = Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "reports" / "bench.schema.json").read_text("utf-8"))
)
WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
NUMBERS = st.floats(0, 1e9)
COUNTS = st.integers(0, 2**50)
TYPES: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    int: COUNTS,
    float: NUMBERS,
    bool: st.booleans(),
    int | None: st.none() | COUNTS,
    float | None: st.none() | NUMBERS,
    tuple[int, ...]: st.lists(COUNTS, max_size=3).map(tuple),
    Mapping[str, str]: st.dictionaries(WORDS, WORDS, max_size=2),
}


def lines(kind: type[Line]) -> st.SearchStrategy[Line]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{f.name: _of(hints[f.name]) for f in fields(kind)})


def _of(hint: type[Enum]) -> st.SearchStrategy[Any]:
    return TYPES[hint] if hint in TYPES else st.sampled_from(hint)


LINES = st.one_of(*(lines(kind) for name, kind in KINDS.items() if name not in ("bench", "footer")))


def lines_of(made: Bench) -> list[str]:
    every: list[Line] = [made.header, *made.lines]
    return [dump(line) for line in (*every, *([made.footer] if made.footer else []))]


@settings(max_examples=30, deadline=None)
@given(st.lists(LINES, max_size=3))
def test_every_line_can_be_read_again_and_is_as_the_schema_says(measured: list[Line]) -> None:
    places = {place for line in measured if (place := getattr(line, "place", ""))}
    made = Bench(header(*places), tuple(measured))
    text = lines_of(made)
    assert read(text, "it") == made
    for line in text:
        SCHEMA.validate(json.loads(line))


def test_a_whole_bench_is_whole_and_a_truncated_one_says_so() -> None:
    made = bench({"nftables": 1.2}, 1)
    text = lines_of(made)
    assert read(text, "it").troubles == ()
    assert "truncated" in read([*text[:-1], text[-1][:20]], "it").troubles[0]


def test_a_bench_is_told_from_a_run() -> None:
    assert begins(dump(header("nftables")))
    assert not begins('{"type":"header","schema":1}')
    assert not begins("no JSON")


def test_types_of_later_versions_are_passed_over() -> None:
    text = [dump(header("nftables")), '{"type":"aura","place":"mars"}', dump(Note("seen"))]
    assert read(text, "it").lines == (Note("seen"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ([], "no bench"),
        (["no JSON"], "no bench"),
        ([dump(Note("first"))], "no bench"),
        ([dump(header("a")), dump(header("a")), dump(Note("x"))], "more than one"),
        ([dump(header("a")), '{"type":"note"}', dump(Note("x"))], "line 2"),
        ([dump(header("a")), dump(Note("x", "b"))], "does not name"),
        ([dump(header("a")).replace('"schema":1', '"schema":2')], "newer"),
    ],
)
def test_what_is_no_bench_is_refused_in_one_sentence(text: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(text, "it")
