"""The table of behaviours: whole, well-formed, and each row either covered by a case or honestly not."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest

from conformance.model.case import Case, Matrix
from conformance.spec.coverage import Row, covered, disagreements, read, table
from fixtures.catalogue import areas


def test_every_row_has_either_a_case_or_a_reason() -> None:
    every = chain.from_iterable(chain[Case | Matrix](area.cases, area.matrices) for area in areas())
    assert disagreements(table(), covered(every)) == []


def test_the_table_is_whole() -> None:
    sizes = (29, 18, 11, 26, 17, 21, 22, 6, 11, 15, 13, 9, 7, 19, 18, 9)
    assert Counter(row.id[0] for row in table()) == dict(zip("ABCDEFGHIJKLMNOP", sizes, strict=True))
    assert len({row.id for row in table()}) == 251
    assert sum(row.unique for row in table()) == 133


def test_no_row_speaks_markdown_emphasis_or_leans_on_its_neighbour() -> None:
    assert [row.id for row in table() if "**" in row.behaviour or "…" in row.behaviour] == []


def test_what_disagrees_is_named() -> None:
    rows = (Row("A01", "g", "one"), Row("A02", "g", "two", unchecked="no nodes"), Row("A03", "g", "three"))
    said = disagreements(rows, {"A02": ["X-01"], "A03": ["X-01", "X-02"], "Z09": ["X-03"]})
    assert said == [
        "X-03: there is no row Z09",
        "A01 has neither a case nor a reason: one",
        "A02 is covered by X-01, and has a reason why it is not: no nodes",
    ]


def test_a_table_is_read() -> None:
    text = '[A]\ntitle = "t"\nA01 = { behaviour = "b", unique = true, unchecked = "why" }\nA02 = { behaviour = "c" }'
    assert read(text) == (Row("A01", "t", "b", unique=True, unchecked="why"), Row("A02", "t", "c"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[A]\nA01 = { behaviour = "b" }', "coverage group A has no title"),
        ("A = 1", "coverage group A has no title"),
        ('[A]\ntitle = "t"\nB01 = { behaviour = "b" }', "coverage row B01 is not numbered in its group A"),
        ('[A]\ntitle = "t"\nA01 = "b"', "coverage row A01 has no behaviour"),
        ('[A]\ntitle = "t"\nA01 = { unique = true }', "coverage row A01 has no behaviour"),
        ('[A]\ntitle = "t"\nA01 = { behaviour = "b", peers = 3 }', "coverage row A01 says peers, which means nothing"),
        ('[A]\ntitle = "t"\nA01 = { behaviour = "b", unchecked = " " }', "coverage row A01 is unchecked without"),
    ],
)
def test_a_malformed_table_is_told_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(text)
