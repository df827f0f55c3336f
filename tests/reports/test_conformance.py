"""The YAML of a report, which anybody may have written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.certify.verifying import verify
from conformance.errors import UsageError
from reports import conformance
from tests.certify.runs import KNOWN, report_on, run_of

SCHEMA = json.loads((Path(conformance.__file__).with_name("conformance.schema.json")).read_text())
GOOD = conformance.document(report_on(run_of()))
BOMB = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (n, n, n - 1, n - 1) for n in range(98, 118))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_report_comes_back_as_it_was() -> None:
    reading = conformance.read(GOOD)
    assert (reading.report, reading.complaints) == (report_on(run_of()), ())
    assert GOOD.startswith(b"apiVersion: nftconform/v1\nkind: ConformanceReport\n")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no mapping"),
        (b"- a\n- b\n", "is no mapping"),
        (b"text", "is no mapping"),
        (b"{", "is no YAML"),
        (b"\xff\xfe\x00", "is no YAML"),
        (b"a: !!python/object/apply:os.system [id]\n", "is no YAML"),
        (b"a: 2026-99-99\n", "is no YAML"),
        (b"a: " + b"9" * 5000, "is no YAML"),
        (b"? [a]\n: b\n", "is no YAML"),
        (GOOD + b"---\n" + GOOD, "is no YAML"),
        (BOMB, "has anchors, aliases or merge keys"),
        (b"a: &a 1\n", "has anchors, aliases or merge keys"),
        (b"<<: {apiVersion: nftconform/v1}\n", "has anchors, aliases or merge keys"),
        (b"[" * 60000, "nested more than 16 deep"),
        (GOOD + b"#" * conformance.LONGEST, "longer than 131072 bytes"),
        (GOOD + b"kind: ConformanceReport\n", "says kind more than once in one place"),
        (b"apiVersion: \x7f\n", "is no YAML"),
        (b'apiVersion: "\\e[31m"\n', r"apiVersion is \\x1b\[31m; this kit reads nftconform/v1"),
    ],
)
def test_what_is_no_report_gets_one_sentence(content: bytes, sentence: str) -> None:
    reading = conformance.read(content)
    assert reading.report is None
    (said,) = reading.complaints
    assert re.search(sentence, said), said
    assert "\n" not in said


def test_many_misfits_are_told_as_far_as_anybody_reads() -> None:
    reading = conformance.read(GOOD.replace(b"profiles:\n", b"profiles:\n" + b"- 1\n" * 1000))
    assert reading.report is None
    assert len(reading.complaints) == 50


def test_what_cannot_be_read_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        conformance.load(tmp_path / "none")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        conformance.load(tmp_path)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=5,
)


def places(plain: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401  JSON
    """Every container in it with every key or index."""
    for key, value in list(plain.items() if isinstance(plain, dict) else enumerate(plain)):
        yield plain, key
        if isinstance(value, dict | list):
            yield from places(value)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_whatever_stands_in_any_place_is_told_in_sentences(data: st.DataObject) -> None:
    plain = yaml.safe_load(GOOD)
    where, key = data.draw(st.sampled_from(list(places(plain))))
    where[key] = data.draw(PLAIN)
    reading = conformance.read(yaml.safe_dump(plain).encode("utf-8", "replace"))
    said = list(reading.complaints)
    if reading.report:
        said += verify(reading.report, KNOWN, datetime(2026, 12, 1, tzinfo=UTC))
    assert all(one.endswith(".") and one.isprintable() for one in said)
    assert reading.report or said


@given(st.binary(max_size=60) | st.text("{}[]&*!|>-?:, \n'\"#%ab1.", max_size=40).map(str.encode))
def test_no_bytes_are_an_error_of_ours(content: bytes) -> None:
    reading = conformance.read(content)
    assert reading.report is None
    assert reading.complaints
