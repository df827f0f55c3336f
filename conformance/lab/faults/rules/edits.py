"""What several faults do to a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.lab.faults.rules.shape import is_rule, is_service_chain, place
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction


def withhold(transaction: Transaction, scene: Scene, unwanted: Callable[[Command], bool]) -> Transaction:
    """Keep unwanted elements from the kernel; what is not there need not be deleted later either."""
    held = set(scene.memory.get("withheld", ()))
    passed = []
    for command in transaction:
        if command.kind in ("set", "map") and command.verb in ("flush", "delete"):
            held = {where for where in held if not where.startswith(f"{command.name} ")}
        if command.kind == "element":
            where = place(command)
            if command.verb == "add" and unwanted(command):
                held.add(where)
                continue
            if where in held:
                held.remove(where)
                if command.verb == "delete":
                    continue
        passed.append(command)
    scene.memory["withheld"] = sorted(held)
    return tuple(passed)


def change_rules(
    transaction: Transaction, scene: Scene, chains: tuple[str, ...], change: Callable[[Command], Command | None]
) -> Transaction:
    """Put every rule of these chains through ``change``; None takes it out."""
    changed = (change(c) if is_rule(c, *chains) and scene.concerns(f"{c.name} {c.rest}") else c for c in transaction)
    return tuple(c for c in changed if c is not None)


def ahead(transaction: Transaction, scene: Scene, rule: str, *prefixes: str) -> Transaction:
    """``rule`` as the first one of every Service's chain with one of the ``prefixes`` that gets its rules."""
    return ahead_where(transaction, rule, lambda name: is_service_chain(name, *prefixes) and scene.concerns(name))


def ahead_where(transaction: Transaction, rule: str, chosen: Callable[[str], bool]) -> Transaction:
    """``rule`` as the first one of every chain that is ``chosen`` by its name, and that gets its rules."""
    return tuple(_ahead(transaction, rule, chosen))


def _ahead(transaction: Transaction, rule: str, chosen: Callable[[str], bool]) -> Iterator[Command]:
    seen = set()
    for command in transaction:
        if (command.verb, command.kind) == ("add", "rule") and command.name not in seen and chosen(command.name):
            seen.add(command.name)
            yield Command("add", "rule", command.family, command.table, command.name, rule)
        yield command
