"""When a worker takes a Ctrl-C."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from fixtures.interrupts import Interrupts


@pytest.fixture(name="interrupts")
def _interrupts() -> Iterator[Interrupts]:
    before = signal.getsignal(signal.SIGINT)
    made = Interrupts()
    made.install()
    yield made
    signal.signal(signal.SIGINT, before)


def press() -> None:
    """Ctrl-C; Python has taken it in when this returns."""
    os.kill(os.getpid(), signal.SIGINT)


def test_what_is_asked_is_cut_short_at_once_and_a_second_one_is_nothing(interrupts: Interrupts) -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), interrupts.allowed():
        press()
        reached.append("behind it")
    assert reached == []
    press()


def test_what_is_told_is_told_to_its_end(interrupts: Interrupts) -> None:
    with interrupts.allowed():
        pass
    press()
    reached = ["told"]
    with pytest.raises(KeyboardInterrupt), interrupts.allowed():
        reached.append("asked")
    assert reached == ["told"]
