"""A table that is written where none is: what a fault left there, and its proxy knows nothing of, is gone."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction


def is_whole(transaction: Transaction) -> bool:
    """Whether it is a full sync: only those add the table."""
    return any((command.verb, command.kind) == ("add", "table") for command in transaction)


def afresh(transaction: Transaction, _: Scene) -> Transaction:
    """A full sync begins with no table, and takes away nothing that it has not put there."""
    return tuple(_without_past(transaction)) if is_whole(transaction) else transaction


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
