"""The file of causes: its form, and that what it names is there."""

from __future__ import annotations

import pytest

from conformance.errors import UsageError
from conformance.model.verdict import Mismatch
from conformance.plan.cells import cells_of_case
from conformance.spec.causes import Feature, Pattern, known, read
from fixtures.catalogue import areas

GOOD = """
[[cause]]
id = "lost"
is = "it is lost"
told = "It goes away"
remedy = "Bring it back."
links = ["https://example.org/"]
breaks = [{ client = ["pod", "!node"], due = ["answered"] }]
also = [{ area = ["source"] }]
seen = [{ ended = ["silent"] }]
how = ["not-reached"]
spares = [{ client = ["node"] }]
each = ["node"]
"""


def test_an_entry() -> None:
    (one,) = read(GOOD, "it")
    assert one.breaks == (
        Pattern(
            ((Feature.CLIENT, frozenset({"pod"})), (Feature.DUE, frozenset({"answered"}))),
            ((Feature.CLIENT, frozenset({"node"})),),
        ),
    )
    assert one.how == {Mismatch.NOT_REACHED}
    assert one.each == (Feature.NODE,)
    assert one.also[0].fits({Feature.AREA: frozenset({"source"})})


def test_a_pattern_fits_what_has_one_of_its_values_of_each_feature_and_none_of_the_unwanted() -> None:
    (pattern,) = read(GOOD, "it")[0].breaks
    answered = {Feature.DUE: frozenset({"answered"})}
    assert pattern.fits({**answered, Feature.CLIENT: frozenset({"pod", "endpoint"})})
    assert not pattern.fits({**answered, Feature.CLIENT: frozenset({"pod", "node"})})
    assert not pattern.fits({**answered, Feature.CLIENT: frozenset({"endpoint"})})
    assert not pattern.fits({Feature.CLIENT: frozenset({"pod"})})


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('id = "lost"', "", "cause 1 has no id"),
        ('"pod", "!node"', '"pot"', "which is not a list of patterns"),
        ("client = [", "clients = [", "which is not a list of patterns"),
        ('breaks = [{ client = ["pod", "!node"], due = ["answered"] }]', "breaks = []", "not a list of patterns"),
        ('due = ["answered"]', 'due = "answered"', "not a list of patterns"),
        ('how = ["not-reached"]', 'how = ["gone"]', r"how = \['gone'\], which is not a list of mismatches"),
        ('each = ["node"]', 'each = ["host"]', "not a list of features"),
        ("https://", "http://", "not a list of https:// addresses"),
        ('remedy = "B', 'remedies = 1\nremedy = "B', "says remedies, which means nothing"),
        ('spares = [{ client = ["node"] }]\neach = ["node"]', "", "has neither spares nor each"),
        ("[[cause]]", "[[causes]]", r"holds causes, where only \[\[cause\]\] tables"),
    ],
)
def test_what_is_malformed_is_told_in_one_sentence(old: str, new: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        read(GOOD.replace(old, new, 1), "it")


def test_a_cause_is_there_once() -> None:
    with pytest.raises(UsageError, match="holds the cause lost twice"):
        read(GOOD + GOOD, "it")


def test_the_kits_own_file_names_areas_cases_and_questions_that_there_are() -> None:
    every = areas()
    cells = [cell for area in every for case in area.cases for cell in cells_of_case(case, area.name)]
    there = {
        Feature.AREA: {area.name for area in every},
        Feature.CASE: {case.id for area in every for case in area.cases},
        Feature.QUESTION: {cell.id.removeprefix(f"{cell.story}.") for cell in cells if cell.id != cell.story},
    }
    for cause in known():
        for pattern in (*cause.breaks, *cause.also, *cause.seen, *cause.spares):
            for feature, values in (*pattern.wanted, *pattern.unwanted):
                assert values <= there.get(feature, values), f"{cause.id}: {feature.value}"
        assert not cause.told.endswith("."), cause.id  # a full stop follows it
        assert cause.links, cause.id
