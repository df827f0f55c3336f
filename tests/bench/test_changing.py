"""Endpoint changes that a node is late to act on, and what is made of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from conformance.bench.changing import Switch, flipped
from conformance.bench.ground import Ground
from conformance.bench.planning import Rung
from conformance.measured.lines import Change

TO = ("10.96.0.9", 80)


@dataclass
class Late:
    """A ground of one node that acts on a change when it pleases: ``seen`` are its answers, in turn."""

    seen: list[Sequence[float | None]]
    looked_for: list[str] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)
    ends: tuple[SimpleNamespace, ...] = (SimpleNamespace(name="fleet-e0-1", port=9000),)
    nodes: tuple[SimpleNamespace, ...] = (SimpleNamespace(name="node-a"),)
    clocks: tuple[SimpleNamespace, ...] = (SimpleNamespace(within=0.0),)
    place: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(name="nftables"))

    def arm(self, _to: object, name: str, _limit: float) -> None:
        """As `Ground.arm`."""
        self.looked_for.append(name)

    def collect(self, _limit: float) -> Sequence[float | None]:
        """As `Ground.collect`."""
        return self.seen.pop(0)

    def reached(self, to: object, name: str, limit: float) -> Sequence[float | None]:
        """As `Ground.reached`."""
        self.arm(to, name, limit)
        return self.collect(limit)

    def move(self, _name: str, _protocol: object, port: int) -> None:
        """As `Ground.move`."""
        self.moves.append(port)


@pytest.mark.parametrize("late", [[None], [2e9]])
def test_a_change_that_was_not_seen_is_not_taken_for_the_next(late: Sequence[float | None]) -> None:
    there = Late([[None], late, [3e9]])
    ground = cast(Ground, there)
    switch = Switch(ground, "bench-switch", TO)
    first = flipped(ground, Rung(3, 1), switch, Change.ENDPOINT)
    assert [one.seconds for one in first] == [None]
    second = flipped(ground, Rung(3, 1), switch, Change.ENDPOINT)
    if late == [None]:
        assert second == []
        assert there.moves == [9001]
        assert there.looked_for == ["fleet-e0-2", "fleet-e0-2"]
    else:
        assert [one.seconds is None for one in second] == [False]
        assert there.moves == [9001, 9000]
        assert there.looked_for == ["fleet-e0-2", "fleet-e0-2", "fleet-e0-1"]
        assert not switch.unseen
