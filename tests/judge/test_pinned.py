"""Session affinity port by port: within a round each port keeps to one endpoint, and over rounds unless it forgets."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge.finding import Finding
from conformance.judge.pinned import ROUND, pinned
from conformance.model.observation import Dial, End
from conformance.model.outcome import Pins, Target
from conformance.model.sampling import MISS
from conformance.model.verdict import Mismatch

NAMES = ("web-a", "web-b", "web-c")
TARGETS = tuple(Target(f"10.244.{i}.11", 8080, frozenset(), name) for i, name in enumerate(NAMES))
KEEPS = Pins(frozenset(TARGETS[:2]))
FORGETS = replace(KEEPS, forgets=True)
MANY = range(1, 41)
"""So many ports that chance explains nothing: 2 to the power of -39."""

Choices = Mapping[int, tuple[str, ...]]


def rounds(choices: Choices, dials: int = 1, apart: float = 10.0) -> list[Dial]:
    """``dials`` of each port at the beginning of each round, port by port: who answers in which round."""
    return [
        Dial(End.ANSWERED, endpoint=name, at=number * apart + 0.01 * port + 0.001 * again, port=port)
        for port, names in choices.items()
        for number, name in enumerate(names)
        for again in range(dials)
    ]


def spread(number: int = 1) -> dict[int, tuple[str, ...]]:
    """Every port at one endpoint for ``number`` rounds, not all at the same."""
    return {port: (NAMES[port % 2],) * number for port in MANY}


@st.composite
def kept(draw: st.DrawFn) -> tuple[Pins, dict[int, tuple[str, ...]]]:
    """A promise of up to three targets, and at least two ports that keep to different ones for some rounds."""
    targets = TARGETS[: draw(st.integers(2, 3))]
    names = draw(st.permutations([t.pod for t in targets]))
    count = draw(st.integers(1, 4))
    others = draw(st.lists(st.sampled_from(names), max_size=12))
    chosen = [names[0], names[1], *others]
    return Pins(frozenset(targets)), {8000 + i: (name,) * count for i, name in enumerate(chosen)}


@given(kept(), st.integers(1, 3), st.randoms(use_true_random=False))
def test_ports_that_keep_to_their_endpoints_pass_in_whatever_order_they_are_told(
    case: tuple[Pins, Choices], dials: int, chance: random.Random
) -> None:
    outcome, choices = case
    told = rounds(choices, dials)
    chance.shuffle(told)
    assert pinned(outcome, told) == Finding()


@given(kept(), st.data())
def test_one_dial_that_ends_elsewhere_breaks_the_promise(case: tuple[Pins, Choices], data: st.DataObject) -> None:
    outcome, choices = case
    told = rounds(choices, dials=2)
    at = data.draw(st.integers(0, len(told) - 1))
    other = data.draw(st.sampled_from(sorted({t.pod for t in outcome.targets} - {told[at].endpoint})))
    told[at] = replace(told[at], endpoint=other)
    for promise in (outcome, replace(outcome, forgets=True)):  # the pins never expire within a round
        finding = pinned(promise, told)
        assert finding.mismatch is Mismatch.NOT_STICKY
        assert f"port {told[at].port}:" in finding.message


@given(kept(), st.sampled_from([End.TIMEOUT, End.RST, End.ICMP, End.CUT]), st.data())
def test_a_dial_without_an_answer_is_lost(case: tuple[Pins, Choices], end: End, data: st.DataObject) -> None:
    outcome, choices = case
    told = rounds(choices)
    at = data.draw(st.integers(0, len(told) - 1))
    told[at] = replace(told[at], end=end, endpoint="")
    finding = pinned(outcome, told)
    assert finding.mismatch is Mismatch.SOMETIMES_LOST
    assert finding.silence is (end is End.TIMEOUT)
    nobody = [replace(d, end=end, endpoint="") for d in told]
    assert pinned(outcome, nobody).mismatch is Mismatch.NOT_REACHED


def test_a_stranger_is_named() -> None:
    finding = pinned(KEEPS, rounds({**spread(), 99: ("web-c",)}))
    assert finding.mismatch is Mismatch.WRONG_ENDPOINT
    assert finding.message == "web-c answered; only web-a, web-b may"


@pytest.mark.parametrize("outcome", [KEEPS, FORGETS])
def test_ports_choose_without_regard_to_each_other(outcome: Pins) -> None:
    together = rounds(dict.fromkeys(MANY, ("web-a",)))
    assert pinned(outcome, together).mismatch is Mismatch.ENDPOINT_NEVER_CHOSEN
    assert pinned(replace(outcome, targets=frozenset(TARGETS[:1])), together) == Finding()
    few = 1
    while 2.0 ** (1 - few) > MISS:
        assert pinned(KEEPS, rounds(dict.fromkeys(range(few), ("web-a",)))) == Finding(), few
        few += 1


def test_a_pin_that_moves_between_rounds_was_forgotten_too_soon() -> None:
    moved = {**spread(2), 7: ("web-a", "web-b")}
    finding = pinned(KEEPS, rounds(moved))
    assert finding.mismatch is Mismatch.NOT_STICKY
    assert finding.message == "port 7: one client was sent to web-a, then web-b"
    assert pinned(FORGETS, rounds(moved)) == Finding()


def test_a_pin_that_never_moves_was_not_forgotten_in_time() -> None:
    assert pinned(FORGETS, rounds(spread(2))).mismatch is Mismatch.NEVER_FORGOTTEN
    assert pinned(KEEPS, rounds(spread(2))) == Finding()
    few = {1: ("web-a", "web-a"), 2: ("web-b", "web-b")}
    assert pinned(FORGETS, rounds(few)) == Finding()  # that two ports stay where they were is no more than chance
    often = {port: names * 6 for port, names in few.items()}
    assert pinned(FORGETS, rounds(often)).mismatch is Mismatch.NEVER_FORGOTTEN, "for eleven rounds it is more"


def test_a_round_is_what_begins_together() -> None:
    moved = {**spread(2), 7: ("web-a", "web-b")}
    assert pinned(FORGETS, rounds(moved, apart=ROUND / 2)).mismatch is Mismatch.NOT_STICKY
    assert pinned(FORGETS, rounds(moved, apart=ROUND * 2)) == Finding()


def test_a_port_whose_client_is_tied_already_moves_nowhere() -> None:
    tied = replace(KEEPS, kept=((7, frozenset(TARGETS[:1])),))
    assert pinned(tied, rounds({**spread(), 7: ("web-a",)})) == Finding()
    finding = pinned(tied, rounds({**spread(), 7: ("web-b",)}))
    assert finding.mismatch is Mismatch.NOT_STICKY
    assert finding.message == "port 7: one client was tied to web-a, now sent to web-b"
    # What was chosen before is no choice: only the ports that choose now must not all choose alike.
    all_tied = replace(KEEPS, kept=tuple((port, frozenset(TARGETS[:1])) for port in MANY))
    assert pinned(all_tied, rounds(dict.fromkeys(MANY, ("web-a",)))) == Finding()
