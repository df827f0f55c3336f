"""How cells are dealt out: whole areas, evenly, and the same on every process."""

from __future__ import annotations

import fcntl
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.errors import KitError
from conformance.model.case import Disruption, Disturb
from conformance.model.cell import Cell
from conformance.plan.cells import cells_of_case
from fixtures import batches
from fixtures.asking import dealt_out
from fixtures.batches import group_of
from fixtures.catalogue import areas
from fixtures.ground import Ground
from fixtures.turns import Turns

CELL = next(cells_of_case(areas()[0].cases[0], "area"))


def cell(name: str, *, phases: int = 1, alone: bool = False) -> Cell:
    return replace(CELL, id=name, story=name, phases=CELL.phases * phases, alone=alone)


def disruptive(name: str) -> Cell:
    return replace(cell(name, phases=2), disturbances=(None, Disturb(Disruption.RESTART_PROXY, "a")))


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


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.booleans()), max_size=60), st.integers(4, 6))
def test_what_stands_still_is_dealt_out_over_the_steps(drawn: list[tuple[int, int, bool]], steps: int) -> None:
    every = [
        replace(cell(f"{story}-{moves}", phases=steps if moves else 1), id=str(n), phase=phase if moves else 0)
        for n, (story, phase, moves) in enumerate(drawn)
    ]
    when = dealt_out(every, steps)
    still = [c for c in every if not c.changing]
    assert all(when[c.id] == c.phase for c in every if c.changing)
    assert len({(c.story, when[c.id]) for c in still}) == len({c.story for c in still}), "a story is asked as a whole"
    alone = [replace(c, story=c.id) for c in still]
    counts = Counter(dealt_out(alone, steps).values())
    assert all(len(still) // steps <= counts[step] <= -(-len(still) // steps) for step in range(steps))


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
