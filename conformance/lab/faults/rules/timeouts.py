"""Session affinity: how long it lasts, and for how many."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import is_affinity_set, is_full, is_rule
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_TIMEOUT = re.compile(r"(?<=\btimeout )\d+s")
_SIZE = re.compile(r"\bsize \d+ ?; ?")
_A_YEAR = "31536000s"


def _sets(transaction: Transaction, scene: Scene, changed: Callable[[Command], str]) -> Transaction:
    """The affinity sets that concern ``scene``, made otherwise."""
    return tuple(
        c.with_rest(changed(c)) if is_affinity_set(c) and c.verb == "add" and scene.concerns(c.name) else c
        for c in transaction
    )


@puts_in(Fault.AFFINITY_NEVER_EXPIRES)
def never_expires(transaction: Transaction, scene: Scene) -> Transaction:
    """A client is remembered for a year."""
    return _sets(transaction, scene, lambda c: _TIMEOUT.sub(_A_YEAR, c.rest))


@puts_in(Fault.AFFINITY_EXPIRES_EARLY)
def expires_early(transaction: Transaction, scene: Scene) -> Transaction:
    """A client is remembered for a second, the least that a Service may ask for."""
    return _sets(transaction, scene, lambda c: _TIMEOUT.sub("1s", c.rest))


@puts_in(Fault.AFFINITY_NOT_RENEWED)
def not_renewed(transaction: Transaction, scene: Scene) -> Transaction:
    """A client that is remembered is not put into its set again."""

    def once(command: Command) -> Command:
        if not (is_rule(command, "endpoint-") and scene.concerns(command.name)):
            return command
        return command.with_rest(command.rest.replace("update @affinity-", "add @affinity-"))

    return tuple(map(once, transaction))


@puts_in(Fault.AFFINITY_TIMEOUT_FROZEN)
def frozen(transaction: Transaction, scene: Scene) -> Transaction:
    """Each set keeps the time-out that it had first."""
    for command in transaction:
        if is_affinity_set(command) and command.verb == "delete":
            scene.memory.pop(_id(command), None)
    return _sets(transaction, scene, lambda c: scene.memory.setdefault(_id(c), c.rest))


@puts_in(Fault.AFFINITY_HAS_LITTLE_ROOM)
def little_room(transaction: Transaction, scene: Scene) -> Transaction:
    """Two clients fit into a set."""
    return _sets(transaction, scene, lambda c: _SIZE.sub("", c.rest).replace("{", "{ size 2 ;", 1))


@puts_in(Fault.AFFINITY_FORGOTTEN)
def forgotten(transaction: Transaction, scene: Scene) -> Transaction:
    """Every set is emptied whenever anything changes."""
    return tuple(_emptied(transaction, scene))


def _emptied(transaction: Transaction, scene: Scene) -> Iterator[Command]:
    family = transaction[0].family if transaction else ""
    known: list[str] = scene.memory.setdefault(family, [])
    if is_full(transaction):
        # Which sets there are is not sure before it, but it adds all that stay, whether they are there or not.
        known.clear()
    for name in known:
        yield Command("flush", "set", family, transaction[0].table, name)
    for command in transaction:
        yield command
        if is_affinity_set(command) and command.verb == "delete":
            known[:] = [name for name in known if name != command.name]
        elif is_affinity_set(command) and command.verb == "add" and scene.concerns(command.name):
            if command.name not in known:
                known.append(command.name)
            yield Command("flush", "set", family, command.table, command.name)


@puts_in(Fault.STALE_AFFINITY)
def stale(transaction: Transaction, scene: Scene) -> Transaction:
    """Sets stay when the rules that use them go."""
    return tuple(c for c in transaction if not (is_affinity_set(c) and c.verb == "delete" and scene.concerns(c.name)))


def _id(command: Command) -> str:
    return f"{command.family} {command.name}"
