"""How cells are dealt out: whole areas, evenly, and the same on every process."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.errors import KitError
from conformance.model.case import Disruption, Disturb
from conformance.model.cell import Cell
from conformance.model.cluster import ClusterState
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case, cells_of_matrix
from fixtures import asking, batches
from fixtures.batches import group_of
from fixtures.catalogue import areas
from fixtures.dealing import SAMPLE, dealt_out, when_asked
from fixtures.ground import Ground
from fixtures.held import Asked
from fixtures.turns import Turns

CELL = next(cells_of_case(areas()[0].cases[0], "area"))


def cell(name: str, *, phases: int = 1, alone: bool = False) -> Cell:
    return replace(CELL, id=name, story=name, phases=CELL.phases * phases, alone=alone)


def disruptive(name: str) -> Cell:
    return replace(cell(name, phases=2), disturbances=(None, Disturb(Disruption.RESTART_PROXY, "a")))


@dataclass(frozen=True)
class Known:
    """Of an answer what is said of it."""

    status: Status

    @property
    def verdict(self) -> Known:
        """Itself: nothing else is asked of either."""
        return self


class NoGround:
    """Of a ground what frames all steps."""

    def recover(self) -> None:
        """Nothing was harmed."""

    def withdraw(self) -> None:
        """Nothing was made."""


@pytest.fixture(name="turns")
def _turns(tmp_path: Path) -> Turns:
    return Turns(tmp_path)


def test_what_may_harm_others_is_asked_when_all_others_have_been(monkeypatch: pytest.MonkeyPatch, turns: Turns) -> None:
    asked: list[list[str]] = []

    def ask(_ground: object, cells: list[Cell], *_: object) -> Iterator[tuple[str, str]]:
        asked.append([c.id for c in cells])
        yield from ((c.id, "asked") for c in cells)

    monkeypatch.setattr(batches, "ask", ask)
    risky, moving, still = cell("risky", phases=2, alone=True), cell("moving", phases=2), cell("still")
    every = [disruptive("one.ipv4"), risky, moving, disruptive("two.ipv4"), still, disruptive("one.ipv6")]
    answers = batches.Answers(cast(Ground, None), every, lambda _: None, lambda _: None, turns.turn)
    assert [answers.of(c) for c in (*every, risky)] == ["asked"] * 7
    assert asked == [["moving", "still"], ["risky"], ["one.ipv4", "one.ipv6"], ["two.ipv4"]]


def test_who_disturbs_others_waits_for_them_and_they_wait_for_him(turns: Turns, tmp_path: Path) -> None:
    def busy(*, alone: bool) -> bool:
        with (tmp_path / "turns").open() as file:
            try:
                fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    with turns.turn(alone=False), Turns(tmp_path).turn(alone=False):
        assert busy(alone=True)
    with turns.turn(alone=True):
        assert busy(alone=False)
    assert not busy(alone=True)


def test_a_mistake_of_the_kit_is_not_repeated_for_every_cell(monkeypatch: pytest.MonkeyPatch, turns: Turns) -> None:
    asked: list[int] = []

    def ask(_ground: object, cells: list[Cell], *_: object) -> dict[str, str]:
        asked.append(len(cells))
        raise KeyError("mistaken")

    monkeypatch.setattr(batches, "ask", ask)
    one, other = cell("one"), cell("other")
    answers = batches.Answers(cast(Ground, None), [one, other], lambda _: None, lambda _: None, turns.turn)
    with pytest.raises(KeyError, match="mistaken"):
        answers.of(one)
    with pytest.raises(KitError, match="first cell"):
        answers.of(other)
    assert asked == [2]


def test_what_ended_a_batch_is_told_of_thousands_of_cells_without_growing(
    monkeypatch: pytest.MonkeyPatch, turns: Turns
) -> None:
    def ask(*_: object) -> Iterator[tuple[str, str]]:
        raise KitError("The API server is gone.", "Ask again.")
        yield

    monkeypatch.setattr(batches, "ask", ask)
    some = [cell(f"c{number}") for number in range(3)]
    answers = batches.Answers(cast(Ground, NoGround()), some, lambda _: None, lambda _: None, turns.turn)
    lengths = []
    for one in some:
        with pytest.raises(KitError, match="gone") as told:
            answers.of(one)
        lengths.append(len(told.traceback))
    assert lengths[1] == lengths[2], "each time the same is raised, it remembers where"


def test_an_answer_is_given_before_the_next_ones_are_there(monkeypatch: pytest.MonkeyPatch, turns: Turns) -> None:
    came: list[str] = []

    def ask(_ground: object, cells: list[Cell], *_: object) -> Iterator[tuple[str, str]]:
        for each in cells:
            came.append(each.id)
            yield each.id, "asked"
        came.append("withdrawn")

    monkeypatch.setattr(batches, "ask", ask)
    every = [cell("one"), cell("two"), cell("three")]
    answers = batches.Answers(cast(Ground, None), every, lambda _: None, lambda _: None, turns.turn)
    answers.of(every[1])
    assert came == ["one", "two"]
    answers.of(every[0])
    assert came == ["one", "two"]
    answers.of(every[2])
    answers.close()
    assert came == ["one", "two", "three", "withdrawn"]


def test_whoever_ends_before_all_is_answered_waits_for_nothing(monkeypatch: pytest.MonkeyPatch, turns: Turns) -> None:
    ended: list[str] = []

    def ask(_ground: object, cells: list[Cell], *_: object) -> Iterator[tuple[str, str]]:
        try:
            for each in cells:
                yield each.id, "asked"
            ended.append("in peace")
        finally:
            ended.append("recovered")

    monkeypatch.setattr(batches, "ask", ask)
    every = [cell("one"), cell("two")]
    answers = batches.Answers(cast(Ground, None), every, lambda _: None, lambda _: None, turns.turn)
    answers.of(every[0])
    answers.close()
    assert ended == ["recovered"]


stills = st.lists(st.integers(0, 99), max_size=200).map(
    lambda drawn: [replace(cell(str(story)), id=str(n)) for n, story in enumerate(drawn)]
)


@given(stills, stills, st.integers(1, 6))
def test_what_stands_still_is_dealt_out_whole_stories_and_alike_whatever_is_beside(
    still: list[Cell], beside: list[Cell], steps: int
) -> None:
    hands = dealt_out(still, steps)
    assert sorted(c.id for hand in hands for c in hand) == sorted(c.id for c in still)
    stories = [{c.story for c in hand} for hand in hands]
    assert sum(map(len, stories)) == len(set().union(*stories)), "a story is asked as a whole"
    more = dealt_out(beside + still, steps)
    assert all(c in more[n] for n, hand in enumerate(hands) for c in hand)


def test_few_of_what_stands_still_is_asked_in_the_first_step_and_equal_shares_in_the_others() -> None:
    cases = (c for area in areas() for case in area.cases for c in cells_of_case(case, area.name))
    matrices = (c for area in areas() for matrix in area.matrices for c in cells_of_matrix(matrix, area.name))
    still = [c for c in (*cases, *matrices) if not c.changing]
    hands = dealt_out(still, 4)
    assert sum(len({c.story for c in hand}) for hand in hands) == len({c.story for c in still}), "stories stay whole"
    first, *others = map(len, hands)
    assert 0.7 < first * SAMPLE / len(still) < 1.3
    assert max(others) - min(others) < len(still) / 20


@given(stills, st.integers(1, 4))
def test_nobody_waits_for_an_answer_that_comes_later_than_the_next_one_s(still: list[Cell], steps: int) -> None:
    moving = [replace(cell("moves", phases=steps), id=f"moves-{n}", phase=n) for n in range(steps)]
    risky = [disruptive("one.ipv4"), cell("risky", alone=True)]
    every = {c.id: c for c in (*risky, *reversed(moving), *still)}
    order = when_asked(every)
    sorted_ = sorted(every, key=lambda each: order[each])
    assert sorted_[-2:] == ["risky", "one.ipv4"]
    asked = [c.id for n, hand in enumerate(dealt_out(still, steps)) for c in (moving[n], *hand)]
    assert [order[i] for i in sorted_[:-2]] == [order[i] for i in asked]


@pytest.mark.parametrize("surprising", [0, 1])
def test_where_much_surprises_the_rest_is_asked_after_the_last_step(
    monkeypatch: pytest.MonkeyPatch, surprising: int
) -> None:
    asked: list[int] = []

    def ask_all(_: object, __: object, cells: list[Cell], *others: dict[str, str]) -> dict[str, str]:
        later = others[-1]
        asked.append(sum(not c.changing for c in cells))
        later.update({c.id: "silent" for c in cells[:surprising]})
        return {}

    monkeypatch.setattr(asking, "ask_all", ask_all)
    monkeypatch.setattr(asking, "_enter", lambda *_: ClusterState({}, {}, {}))
    monkeypatch.setattr(asking, "_settled", lambda *_: {})
    still = [cell(f"still-{n}") for n in range(32)]
    every = still + [replace(cell("moves", phases=4), phase=n) for n in range(4)]
    list(asking.ask(cast(Ground, NoGround()), every, "cases", lambda _: None, lambda _: None))
    first, *others = (len(hand) for hand in dealt_out(still, 4))
    assert first
    assert asked == ([first, 0, 0, 0, sum(others)] if surprising else [first, *others])


@pytest.mark.parametrize("found", list(Status))
def test_what_surprises_is_told_when_nothing_is_under_way_any_more(
    monkeypatch: pytest.MonkeyPatch, found: Status
) -> None:
    events: list[str] = []

    def ask_all(_: object, __: object, cells: list[Cell], *___: object) -> Iterator[tuple[str, Asked]]:
        yield from ((c.id, cast(Asked, Known(found))) for c in cells)

    def withdraw(_: object) -> None:
        events.append("withdrawn")

    monkeypatch.setattr(asking, "ask_all", ask_all)
    monkeypatch.setattr(asking, "Asked", Known)
    monkeypatch.setattr(asking, "_enter", lambda *_: ClusterState({}, {}, {}))
    monkeypatch.setattr(asking, "_settled", lambda *_: {})
    monkeypatch.setattr(NoGround, "withdraw", withdraw)
    for key, _ in asking.ask(cast(Ground, NoGround()), [cell("one")], "cases", lambda _: None, lambda _: None):
        events.append(key)
    assert events == (["withdrawn", "one"] if found in asking.SURPRISES else ["one", "withdrawn"])


files = st.lists(st.sampled_from([f"suites/{c}/test_{c}.py" for c in "abcdefgh"]), min_size=1, max_size=200)


@given(files, st.integers(1, 4))
def test_every_process_deals_out_alike(some: list[str], groups: int) -> None:
    ids = [f"{file}::test[{i}]" for i, file in enumerate(some)]
    found = group_of(ids, groups)
    assert found == group_of(reversed(ids), groups)
    assert found.keys() == set(some)
    assert set(found.values()) <= set(range(groups))


@given(files, st.integers(2, 4))
def test_no_process_has_all_the_work_while_another_has_none(some: list[str], groups: int) -> None:
    found = group_of((f"{file}::test[{i}]" for i, file in enumerate(some)), groups)
    loads = [sum(found[file] == group for file in some) for group in range(groups)]
    largest = max(some.count(file) for file in set(some))
    assert max(loads) - min(loads) <= largest
