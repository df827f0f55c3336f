"""A table that is written where none is: what a fault left there, and its proxy knows nothing of, is gone."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.lab.faults.rules.shape import is_full
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction


def afresh(transaction: Transaction, _: Scene) -> Transaction:
    """A full sync begins with no table, and takes away nothing that it has not put there."""
    return tuple(_without_past(transaction)) if is_full(transaction) else transaction


def _without_past(transaction: Transaction) -> Iterator[Command]:
    first = transaction[0]
    for verb in ("add", "delete"):
        yield Command(verb, "table", first.family, first.table)
    here = set()
    for command in transaction:
        if command.verb == "add":
            here.add((command.kind, command.name))
        elif (command.kind, command.name) not in here:
            continue
        yield command
