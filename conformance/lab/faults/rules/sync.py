"""What a sync does to Services that it is not about."""

from __future__ import annotations

from dataclasses import replace

from conformance.lab.faults.rules.edits import ENTRANCES, is_element, is_full, owner, place
from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Transaction
from conformance.spec.faults import Fault


@puts_in(Fault.PARTIAL_SYNC_FORGETS)
def partial_sync_forgets(transaction: Transaction, scene: Scene) -> Transaction:
    """What an earlier partial sync led to a Service, the next one about another Service takes away."""
    if is_full(transaction) or not transaction:
        scene.memory.clear()
        return transaction
    recent: dict[str, str] = dict(scene.memory.get("recent", {}))
    gone = set(scene.memory.get("gone", ()))
    passed, spoken = [], set()
    for command in transaction:
        where, mine = place(command) if command.kind == "element" else "", owner(command.value)
        if is_element(command, "add", *ENTRANCES) and mine is not None:
            spoken.add(mine.service)
            if scene.concerns(command.text):
                recent[where] = mine.service
            gone.discard(where)
        elif is_element(command, "delete", *ENTRANCES):
            spoken.add(recent.pop(where, ""))
            if where in gone:
                gone.remove(where)
                continue
        passed.append(command)
    lost = [w for w, service in recent.items() if spoken and service not in spoken]
    for where in lost:
        name, key = where.split(" ", 1)
        passed.append(replace(transaction[0], verb="delete", kind="element", name=name, rest=f"{{ {key} }}"))
        del recent[where]
    scene.memory.update(recent=recent, gone=sorted(gone | set(lost)))
    return tuple(passed)
