"""What several faults do to a transaction, and the words of kube-proxy's table that they need."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction

ENTRANCES = ("service-ips", "service-nodeports")
"""The maps that lead packets to a Service."""
SILENCES = ("no-endpoint-services", "no-endpoint-nodeports")
"""The maps that say what becomes of packets to a Service without endpoints; in the order of `ENTRANCES`."""
PER_SERVICE = (*ENTRANCES, *SILENCES, "firewall-ips", "cluster-ips", "hairpin-connections")
"""All that Services fill."""

_CHAIN = re.compile(
    r"[a-z]+-[A-Z2-7]{8}-(?P<namespace>[^/\s]+)/(?P<name>[^/\s]+)/(?P<protocol>[a-z]+)/(?P<port>[^/\s]*)"
)


@dataclass(frozen=True, slots=True)
class Owner:
    """The Service port that a chain is for; kube-proxy cuts very long names, which then tell less."""

    namespace: str
    name: str
    protocol: str
    port: str

    @property
    def service(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


def owner(text: str) -> Owner | None:
    """Whose the first chain in ``text`` is; None when it names no chain of a Service."""
    found = _CHAIN.search(text)
    return Owner(**found.groupdict()) if found else None


def is_full(transaction: Transaction) -> bool:
    """Whether it writes the table anew; the others only say what changed."""
    return any((c.verb, c.kind) == ("add", "table") for c in transaction)


def is_flush(command: Command, *containers: str) -> bool:
    """Whether it empties one of these maps and sets."""
    return command.verb == "flush" and command.kind in ("set", "map") and command.name in containers


def is_element(command: Command, verb: str, *containers: str) -> bool:
    """Whether it adds, or deletes, an element of one of these maps and sets."""
    return (command.verb, command.kind) == (verb, "element") and command.name in containers


def is_rule(command: Command, *chains: str) -> bool:
    """Whether it adds a rule to a chain whose name begins with one of these."""
    return (command.verb, command.kind) == ("add", "rule") and command.name.startswith(chains)


def place(command: Command) -> str:
    """Where an element stands: ``container key``."""
    return f"{command.name} {command.key}"


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
