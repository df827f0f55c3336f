"""The shape of kube-proxy's table: whose chains and sets are whose, and where a rule goes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction

_OWNED = re.compile(r"^[a-z]+-[A-Z2-7]{8}-(?P<port>[^/_]+/[^/_]+/[^/_]+/[^/_]*)(?:__(?P<endpoint>.+))?$")


def port_of(name: str) -> str:
    """``namespace/service/protocol/port`` of a chain or set that belongs to a Service; empty for the others."""
    match = _OWNED.match(name)
    return match["port"] if match else ""


def endpoint_of(name: str) -> str:
    """``ip/port`` of the endpoint that a chain or set belongs to; empty for the others."""
    match = _OWNED.match(name)
    return match["endpoint"] or "" if match else ""


def is_full(transaction: Transaction) -> bool:
    """Whether it writes everything anew, whatever was there: only those add the table."""
    return any((c.verb, c.kind) == ("add", "table") for c in transaction)


def is_rule(command: Command, *prefixes: str) -> bool:
    """Whether it adds a rule to a Service's chain with one of the ``prefixes`` (``service-``, ``local-`` ...)."""
    return (command.verb, command.kind) == ("add", "rule") and _is_chain(command.name, *prefixes)


def is_affinity_set(command: Command) -> bool:
    """Whether it adds or deletes the set that remembers an endpoint's clients."""
    return command.kind == "set" and command.name.startswith("affinity-")


def ahead(transaction: Transaction, scene: Scene, rule: str, *prefixes: str) -> Transaction:
    """``rule`` as the first one of every Service's chain with one of the ``prefixes`` that gets its rules."""
    return ahead_where(transaction, rule, lambda name: _is_chain(name, *prefixes) and scene.concerns(name))


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


def _is_chain(name: str, *prefixes: str) -> bool:
    # Base chains have names like these ("service-endpoints-check"), but only those of Services have a slash.
    return "/" in name and name.startswith(prefixes)
