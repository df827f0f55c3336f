"""The YAML of a report, which anybody may have written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from conformance.errors import UsageError
from reports import conformance
from tests.certify.runs import report_on, run_of

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
