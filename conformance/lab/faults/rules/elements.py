"""Elements that do not reach the kernel, and elements of a fault's own, from one transaction to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction

Elements = dict[str, str]


def withhold(transaction: Transaction, scene: Scene, *containers: str) -> Transaction:
    """No element that the fault concerns gets into the ``containers``, and what is not there is not deleted either."""
    kept = []
    for command in transaction:
        if command.name not in containers:
            kept.append(command)
            continue
        withheld: Elements = _noted(scene, "withheld", command)
        if command.kind == "element" and command.verb == "add" and scene.concerns(command.text):
            withheld[command.key] = command.value
        elif command.kind == "element" and command.key in withheld and command.verb == "delete":
            del withheld[command.key]
        else:
            if command.verb == "flush":
                withheld.clear()
            kept.append(command)
    return tuple(kept)


def follow(transaction: Transaction, scene: Scene, *containers: str) -> dict[str, Elements]:
    """What the ``containers`` have after the transaction, so far as the fault has seen it grow: key and verdict."""
    for command in transaction:
        if command.name not in containers:
            continue
        known: Elements = _noted(scene, "elements", command)
        if command.verb == "flush":
            known.clear()
        elif command.kind == "element" and command.verb == "add":
            known[command.key] = command.value
        elif command.kind == "element":
            known.pop(command.key, None)
    family = transaction[0].family if transaction else ""
    return {name: dict(_of(scene, "elements", family, name)) for name in containers}


def add_own(transaction: Transaction, scene: Scene, container: str, wanted: Mapping[str, str]) -> Transaction:
    """The map ``container`` has the ``wanted`` elements besides the proxy's, and no others of the fault's own."""
    if not transaction:
        return transaction
    some = transaction[0]
    own: Elements = _of(scene, "own", some.family, container)
    if any((c.verb, c.name) == ("flush", container) for c in transaction):
        own.clear()
    gone = [key for key, value in own.items() if wanted.get(key) != value]
    new = [key for key, value in wanted.items() if own.get(key) != value]
    own.clear()
    own.update(wanted)

    def commands(verb: str, keys: Iterable[str], verdicts: Mapping[str, str]) -> Transaction:
        texts = (f"{{ {key}{f' : {verdicts[key]}' if key in verdicts else ''} }}" for key in keys)
        return tuple(Command(verb, "element", some.family, some.table, container, text) for text in texts)

    # What goes makes room for an element of the proxy's, so it goes first; what comes needs the proxy's chains.
    return (*commands("delete", gone, {}), *transaction, *commands("add", new, wanted))


def _noted(scene: Scene, what: str, command: Command) -> Elements:
    return _of(scene, what, command.family, command.name)


def _of(scene: Scene, what: str, family: str, container: str) -> Elements:
    noted: dict[str, Elements] = scene.memory.setdefault(what, {})
    return noted.setdefault(f"{family} {container}", {})
