"""Ports that session affinity tied before the question: each is answered by who answered it then, or by nobody else."""

from __future__ import annotations

import pytest

from conformance.judge import judge
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Expectation, Pins, Target
from conformance.model.verdict import Mismatch, Status

PORTS = range(8000, 8022)
A, B = (Target(f"10.244.{i}.11", 8080, frozenset(), f"web-{i}") for i in (1, 2))
BOTH = frozenset({A, B})
SPLIT = {port: (A, B)[port % 2] for port in PORTS}
KEPT = tuple((port, frozenset({to})) for port, to in SPLIT.items())


def asked(outcome: Pins, *rounds: dict[int, Target]) -> tuple[Status, Mismatch]:
    dials = tuple(
        Dial(End.ANSWERED, endpoint=to.pod, at=5.0 * number, port=port)
        for number, one in enumerate(rounds)
        for port, to in one.items()
    )
    verdict = judge(Expectation(outcome, ()), Observation(dials, control_before=True, control_after=True))
    return verdict.status, verdict.mismatch


@pytest.mark.parametrize("outcome", [Pins(BOTH), Pins(BOTH, kept=KEPT), Pins(BOTH, kept=KEPT[:5])])
def test_ports_that_keep_to_their_endpoints_pass(outcome: Pins) -> None:
    assert asked(outcome, SPLIT, SPLIT) == (Status.PASSED, Mismatch.NONE)


def test_a_port_that_was_tied_before_is_answered_by_nobody_else() -> None:
    strayed = SPLIT | {8003: A}
    assert asked(Pins(BOTH), strayed, strayed)[0] is Status.PASSED
    assert asked(Pins(BOTH, kept=KEPT), strayed, strayed) == (Status.FAILED, Mismatch.NOT_STICKY)


def test_who_answers_instead_of_the_only_one_that_all_were_tied_to_is_no_stranger() -> None:
    everybody_at_b = Pins(frozenset({B}), kept=tuple((port, frozenset({B})) for port in PORTS))
    assert asked(everybody_at_b, SPLIT) == (Status.FAILED, Mismatch.NOT_STICKY)
    some_at_b = Pins(frozenset({B}), kept=everybody_at_b.kept[:5])
    assert asked(some_at_b, SPLIT) == (Status.FAILED, Mismatch.WRONG_ENDPOINT)


def test_a_port_that_was_tied_to_two_may_be_answered_by_either() -> None:
    loose = tuple((port, BOTH) for port in PORTS)
    assert asked(Pins(BOTH, kept=loose), dict.fromkeys(PORTS, A))[0] is Status.PASSED


def test_ports_that_are_free_choose_for_themselves() -> None:
    together = dict.fromkeys(PORTS, A)
    assert asked(Pins(BOTH), together) == (Status.FAILED, Mismatch.ENDPOINT_NEVER_CHOSEN)
    everybody_at_a = tuple((port, frozenset({A})) for port in PORTS)
    assert asked(Pins(frozenset({A}), kept=everybody_at_a), together)[0] is Status.PASSED


def test_pins_that_should_have_expired_move_somebody() -> None:
    assert asked(Pins(BOTH, forgets=True), SPLIT, SPLIT) == (Status.FAILED, Mismatch.NEVER_FORGOTTEN)
    assert asked(Pins(BOTH, forgets=True), SPLIT, SPLIT | {8003: A})[0] is Status.PASSED
    assert asked(Pins(BOTH), SPLIT, SPLIT | {8003: A}) == (Status.FAILED, Mismatch.NOT_STICKY)
