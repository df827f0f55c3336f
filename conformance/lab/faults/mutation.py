"""Random mutants of nft transactions: what one of them is, and how it is made of a transaction. Pure.

A mutant names its command by *shape*, the text without what differs from one lab to the next (the run's namespace,
hashes, addresses that are allocated), so that it can be drawn from a recorded run and put into another.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from enum import Enum
from itertools import chain
from typing import Any

from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction

_VOLATILE = (
    (re.compile(r"nftconform-[0-9a-f]{6}"), "nftconform"),
    (re.compile(r"\b[A-Z2-7]{8}-(?=[^\s/]+/)"), ""),
    (re.compile(r"(?<![\d.])10\.244\.(\d+)\.\d+\b|(?<![0-9a-f])fd44[:.](\d+)[:.]{2}[0-9a-f]+\b"), r"pod@\1\2"),
    (re.compile(r"\b10\.96\.\d+\.\d+\b|\bfd00:96::[0-9a-f]+\b"), "cluster-ip"),
    (re.compile(r"\b203\.0\.113\.\d+\b|\b2001:db8:203::[0-9a-f]+\b"), "balancer"),
    (re.compile(r"\b198\.51\.100\.\d+\b|\b2001:db8:100::[0-9a-f]+\b"), "external"),
    (re.compile(r"\b3[0-2]\d{3}\b"), "node-port"),
    (re.compile(r"\b2\d{4}\b"), "pod-port"),
    # Nothing else says which Service a hairpin is of, and few runs have all ports.
    (re.compile(r"(\{ pod@\d+ \. pod@\d+ \. \w+ \. )\S+"), r"\1port"),
)
_QUOTED = re.compile(r'comment "[^"]*"')
_NUMBER = re.compile(r"(?<![\w.:@/-])(0x[0-9a-f]+|-?\d+)(s?)(?![\w.:/-])")
_ADDRESS = re.compile(r"(?<![\w.:@/-])(\d+(?:\.\d+){3}|[0-9a-f]*(?::[0-9a-f]*){2,})(/\d+)?(?![\w.:/])")


class Kind(Enum):
    """What is done to the command."""

    DROP_ELEMENT = "drop an element"
    SWAP_VERDICTS = "swap two verdicts"
    CHANGE_NUMBER = "change a number"
    CHANGE_ADDRESS = "change an address"
    REMOVE_RULE = "remove a rule"
    REORDER_RULE = "move a rule up"
    LOSE_TRANSACTION = "lose a transaction"


@dataclass(frozen=True, slots=True)
class Mutation:
    """``kind`` on the ``ordinal``-th different command of ``shape`` that comes by; ``token`` says which number."""

    kind: Kind
    shape: str
    ordinal: int = 0
    token: int = 0

    def to_json(self) -> str:
        """For the switchboard."""
        return json.dumps(asdict(self) | {"kind": self.kind.name})

    @classmethod
    def from_json(cls, text: str) -> Mutation:
        """The inverse of `to_json`."""
        plain: dict[str, Any] = json.loads(text)
        return cls(**plain | {"kind": Kind[plain["kind"]]})


def shape(command: Command) -> str:
    """The command without what differs from lab to lab."""
    text = command.text
    for pattern, instead in _VOLATILE:
        text = pattern.sub(instead, text)
    return text


def tokens(command: Command, kind: Kind) -> int:
    """How many numbers or addresses of the command can be changed."""
    return len(_found(command, kind))


def mutate(transaction: Transaction, scene: Scene) -> Transaction:
    """The transaction with the scene's mutation in it.

    ``memory`` notes how often that came by (``hits``), whether it did now (``fresh``), and what became of the command.
    """
    mutation, memory = Mutation.from_json(scene.switch.detail), scene.memory
    hits = memory.get("hits", 0)
    mutated = _mutated(transaction, mutation, memory)
    memory["fresh"] = memory.get("hits", 0) > hits
    return mutated


def _mutated(transaction: Transaction, mutation: Mutation, memory: dict[str, Any]) -> Transaction:
    index = _target(transaction, mutation, memory)
    if mutation.kind is Kind.LOSE_TRANSACTION:
        if index is None or memory.get("lost"):
            return transaction
        memory["lost"] = True
        _note(memory, f"{transaction[index].text} and {len(transaction) - 1} more commands", "nothing")
        return ()
    changed = transaction if index is None else _changed(transaction, index, mutation, memory)
    return _without_trace(changed, memory)


def _target(transaction: Transaction, mutation: Mutation, memory: dict[str, Any]) -> int | None:
    """Where in the transaction the command is that is to be mutated."""
    seen: list[str] = memory.setdefault("seen", [])
    for index, command in enumerate(transaction):
        if shape(command) != mutation.shape:
            continue
        if command.text not in seen:
            seen.append(command.text)
        if seen.index(command.text) == mutation.ordinal:
            return index
    return None


def _changed(transaction: Transaction, index: int, mutation: Mutation, memory: dict[str, Any]) -> Transaction:
    command, instead = transaction[index], list(transaction)
    match mutation.kind:
        case Kind.DROP_ELEMENT | Kind.REMOVE_RULE:
            del instead[index]
            memory.setdefault("keys", {})[_identity(command)] = None
            after = "nothing"
        case Kind.SWAP_VERDICTS:
            other = partner(transaction, index)
            if other is None:
                return transaction
            instead[index] = command.with_element(value=transaction[other].value)
            instead[other] = transaction[other].with_element(value=command.value)
            after = f"{instead[index].text} and {instead[other].text}"
        case Kind.REORDER_RULE:
            other = before(transaction, index)
            if other is None:
                return transaction
            instead.insert(other, instead.pop(index))
            after = f"the same, before {transaction[other].text}"
        case _:
            instead[index] = _altered(command, mutation)
            memory.setdefault("keys", {})[_identity(command)] = instead[index].key if command.kind == "element" else ""
            after = instead[index].text
    _note(memory, command.text, after)
    return tuple(instead)


def _without_trace(transaction: Transaction, memory: dict[str, Any]) -> Transaction:
    """What deletes an element that never came, or came with another key, must not fail."""
    keys: dict[str, str | None] = memory.get("keys", {})
    kept = []
    for command in transaction:
        if (command.verb, command.kind) == ("delete", "element") and (mine := _identity(command)) in keys:
            key = keys[mine]
            if key is not None:
                kept.append(command.with_element(key=key))
            continue
        kept.append(command)
    return tuple(kept)


def partner(transaction: Transaction, index: int) -> int | None:
    """The next element of the same map with another verdict, from there on round the transaction."""
    command = transaction[index]
    for other in chain(range(index + 1, len(transaction)), range(index)):
        one = transaction[other]
        same = (one.verb, one.kind, one.family, one.name) == (command.verb, command.kind, command.family, command.name)
        if same and one.value and one.value != command.value:
            return other
    return None


def before(transaction: Transaction, index: int) -> int | None:
    """The rule of the same chain that is added before this one."""
    command = transaction[index]
    for other in range(index - 1, -1, -1):
        one = transaction[other]
        if (one.verb, one.kind, one.family, one.name) == ("add", "rule", command.family, command.name):
            return other
    return None


def _altered(command: Command, mutation: Mutation) -> Command:
    start, end, text = _found(command, mutation.kind)[mutation.token]
    return replace(command, rest=command.rest[:start] + text + command.rest[end:])


def _found(command: Command, kind: Kind) -> list[tuple[int, int, str]]:
    """Every place in ``rest`` that can be changed, and what it becomes."""
    # Blanked, not cut out: the places are the original's.
    plain = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), command.rest)
    if kind is Kind.CHANGE_NUMBER:
        return [(m.start(1), m.end(1), _next(m[1])) for m in _NUMBER.finditer(plain)]
    return [(m.start(), m.end(), _neighbour(m[1], m[2])) for m in _ADDRESS.finditer(plain)]


def _next(number: str) -> str:
    return hex(int(number, 16) << 1) if number.startswith("0x") else str(int(number) + 1)


def _neighbour(address: str, length: str | None) -> str:
    if length:
        return f"{address}/{int(length[1:]) + 1}"
    head, separator, last = re.split(r"([.:])(?=[^.:]*$)", address)
    number = int(last or "0", 16 if separator == ":" else 10)
    return f"{head}{separator}{number ^ 1:{'x' if separator == ':' else 'd'}}"


def _identity(command: Command) -> str:
    return f"{command.family} {command.name} {command.key}"


def _note(memory: dict[str, Any], was: str, became: str) -> None:
    memory["hits"] = memory.get("hits", 0) + 1
    memory.setdefault("before", was)
    memory.setdefault("after", became)
