"""How cells are dealt out: whole areas, evenly, and the same on every process."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.errors import KitError
from conformance.model.case import Disruption, Disturb
from conformance.model.cell import Cell
from conformance.model.cluster import ClusterState
from conformance.plan.cells import cells_of_case
from fixtures import asking, batches
from fixtures.asking import SAMPLE, dealt_out
from fixtures.batches import group_of
from fixtures.catalogue import areas
from fixtures.ground import Ground
from fixtures.turns import Turns

CELL = next(cells_of_case(areas()[0].cases[0], "area"))


def cell(name: str, *, phases: int = 1, alone: bool = False) -> Cell:
    return replace(CELL, id=name, story=name, phases=CELL.phases * phases, alone=alone)


def disruptive(name: str) -> Cell:
    return replace(cell(name, phases=2), disturbances=(None, Disturb(Disruption.RESTART_PROXY, "a")))


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

    def ask(_ground: object, cells: list[Cell], *_: object) -> list[dict[str, str]]:
        asked.append([c.id for c in cells])
        return [{c.id: "asked" for c in cells}]

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


@given(st.lists(st.integers(0, 99), max_size=200), st.integers(1, 6))
def test_what_stands_still_is_dealt_out_over_the_steps_few_of_it_in_the_first(drawn: list[int], steps: int) -> None:
    still = [replace(cell(str(story)), id=str(n)) for n, story in enumerate(drawn)]
    hands = dealt_out(still, steps)
    assert sorted(c.id for hand in hands for c in hand) == sorted(c.id for c in still)
    stories = [{c.story for c in hand} for hand in hands]
    every = len(set().union(*stories))
    assert sum(map(len, stories)) == every, "a story is asked as a whole"
    if steps > 1:
        first, *others = map(len, stories)
        assert first == -(-every // SAMPLE)
        assert max(others) - min(others) <= 1 + every // SAMPLE


@pytest.mark.parametrize(("surprising", "shares"), [(0, [4, 9, 10, 9]), (1, [4, 0, 0, 0, 28])])
def test_where_much_surprises_the_rest_is_asked_after_the_last_step(
    monkeypatch: pytest.MonkeyPatch, surprising: int, shares: list[int]
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
    every = [cell(f"still-{n}") for n in range(32)] + [replace(cell("moves", phases=4), phase=n) for n in range(4)]
    list(asking.ask(cast(Ground, NoGround()), every, "cases", lambda _: None, lambda _: None))
    assert asked == shares


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
