"""Traces of dials on a lab's nodes, as nft 1.0.6 printed them."""

from __future__ import annotations

import functools
from pathlib import Path

from conformance.audit.trace import of_dial, read_trace
from conformance.model.way import Way

FOLDER = Path(__file__).parents[1] / "data" / "traces"


@functools.cache
def lines(name: str) -> tuple[str, ...]:
    """A recorded trace."""
    return tuple((FOLDER / f"{name}.txt").read_text().splitlines())


def own(name: str) -> str:
    """The table that marked the packets."""
    return next(f"inet {word}" for word in " ".join(lines(name)).split() if word.startswith("nftconform-"))


def ways(name: str, node: str, dialled: tuple[str, int]) -> tuple[Way, ...]:
    """What was seen of a dial."""
    return of_dial(read_trace(lines(name), node), dialled, own(name))
