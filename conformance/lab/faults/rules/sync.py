"""Syncs: what they do to Services that they are not about, where they hang their chains, and that they fail."""

from __future__ import annotations

import re
from dataclasses import replace

from conformance.lab.faults.rules.registry import Refused, puts_in
from conformance.lab.faults.rules.shape import ENTRANCES, is_element, is_full, owner, place
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_PRIORITY = re.compile(r"priority (-?\d+)")


@puts_in(Fault.PARTIAL_SYNC_FORGETS)
def partial_sync_forgets(transaction: Transaction, scene: Scene) -> Transaction:
    """Of the Services that partial syncs lead to, each of them leaves only the one that it names last."""
    if is_full(transaction) or not transaction:
        scene.memory.clear()
        return transaction
    recent: dict[str, str] = dict(scene.memory.get("recent", {}))
    gone = set(scene.memory.get("gone", ()))
    passed: list[Command] = []
    last = None
    for command in transaction:
        where, mine = place(command) if command.kind == "element" else "", owner(command.value)
        if is_element(command, "add", *ENTRANCES) and mine is not None:
            last = mine.service
            if scene.concerns(command.text):
                recent[where] = mine.service
            gone.discard(where)
        elif is_element(command, "delete", *ENTRANCES):
            recent.pop(where, None)
            if where in gone:
                gone.remove(where)
                continue
        passed.append(command)
    lost = [where for where, service in recent.items() if last not in (None, service)]
    for where in lost:
        name, key = where.split(" ", 1)
        passed.append(replace(transaction[0], verb="delete", kind="element", name=name, rest=f"{{ {key} }}"))
        del recent[where]
    scene.memory.update(recent=recent, gone=sorted(gone | set(lost)))
    return tuple(passed)


@puts_in(Fault.BASE_CHAINS_MOVED)
def base_chains_moved(transaction: Transaction, _scene: Scene) -> Transaction:
    """Chains of type nat come a little later than documented."""
    return tuple(
        replace(c, rest=_PRIORITY.sub(lambda found: f"priority {int(found[1]) + 5}", c.rest))
        if c.kind == "chain" and "type nat" in c.rest
        else c
        for c in transaction
    )


@puts_in(Fault.SYNCS_FAIL_NOW_AND_THEN)
def syncs_fail_now_and_then(transaction: Transaction, scene: Scene) -> Transaction:
    """Every third one."""
    count = scene.memory["count"] = scene.memory.get("count", 0) + 1
    if count % 3 == 0:
        raise Refused("Could not process rule: Device or resource busy")
    return transaction
