"""Session affinity: whom it ties, to what, with whom else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import endpoint_of, is_affinity_set, is_full, is_rule, port_of
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_SET = re.compile(r"@(affinity-\S+)")
_SOURCE = re.compile(r"\bip6? saddr\b")
_DISGUISE = {"ip": "128.0.0.0", "ip6": "8000::"}


def _ties(command: Command) -> bool:
    """Whether it sends the clients of an affinity set to their endpoint."""
    return is_rule(command, "service-", "local-") and "@affinity-" in command.rest


def _remembers(command: Command) -> bool:
    """Whether it puts a client into an affinity set."""
    return is_rule(command, "endpoint-") and "@affinity-" in command.rest


@puts_in(Fault.AFFINITY_IGNORED)
def ignored(transaction: Transaction, scene: Scene) -> Transaction:
    """Clients are remembered, and nobody asks."""
    return tuple(c for c in transaction if not (_ties(c) and scene.concerns(c.name)))


@puts_in(Fault.AFFINITY_NOT_SHARED)
def not_shared(transaction: Transaction, scene: Scene) -> Transaction:
    """Who dials another address than the ClusterIP is remembered as somebody else: with its first bit turned."""
    return tuple(each for command in transaction for each in _by_address(command, scene))


def _by_address(command: Command, scene: Scene) -> Iterator[Command]:
    if not ((_ties(command) or _remembers(command)) and scene.concerns(command.name)):
        yield command
        return
    other = _SOURCE.sub(rf"\g<0> xor {_DISGUISE[command.family]}", command.rest)
    yield command.with_rest(f"{command.family} daddr @cluster-ips {command.rest}")
    yield command.with_rest(f"{command.family} daddr != @cluster-ips {other}")


@puts_in(Fault.AFFINITY_PORTS_TOGETHER)
def ports_together(transaction: Transaction, scene: Scene) -> Transaction:
    """All ports of a Service remember their clients in the set of the first one, endpoint address by endpoint address.

    That set stays until the last port goes.
    """
    return tuple(_together(transaction, scene))


def _together(transaction: Transaction, scene: Scene) -> Iterator[Command]:
    family = transaction[0].family if transaction else ""
    groups: dict[str, list[str]] = scene.memory.setdefault(family, {})
    if is_full(transaction):
        groups.clear()
    for command in transaction:
        concerned = scene.concerns(command.name)
        if is_affinity_set(command) and concerned:
            sets = groups.setdefault(_group(command.name), [])
            if command.verb == "add":
                if command.name not in sets:
                    sets.append(command.name)
                yield command
            else:
                yield from _leave(sets, command)
        elif (_ties(command) or _remembers(command)) and concerned:
            yield command.with_rest(_SET.sub(lambda m: f"@{groups.get(_group(m[1]), [m[1]])[0]}", command.rest))
        else:
            yield command


def _leave(sets: list[str], deletion: Command) -> Iterator[Command]:
    """The first of ``sets`` is the one that all use: it goes last. A mark behind its name says that it is to go."""
    if deletion.name not in sets:
        yield deletion
        return
    if deletion.name != sets[0]:
        sets.remove(deletion.name)
        yield deletion
    elif _OWED not in sets:
        sets.append(_OWED)
    if len(sets) == 2 and _OWED in sets:
        yield replace(deletion, name=sets[0])
        sets.clear()


_OWED = "to be deleted"


def _group(name: str) -> str:
    service = port_of(name).rpartition("/")[0]
    return f"{service} {endpoint_of(name).rpartition('/')[0]}"


@puts_in(Fault.AFFINITY_STAYS_ON)
def stays_on(transaction: Transaction, scene: Scene) -> Transaction:
    """What makes a port's rules forget about affinity does not reach the kernel; a proxy that starts gets its way."""
    family = transaction[0].family if transaction else ""
    tied: list[str] = scene.memory.setdefault(f"{family} tied", [])
    held: list[str] = scene.memory.setdefault(f"{family} held", [])
    if is_full(transaction):
        tied.clear()
        held.clear()
    spread = {port_of(c.name) for c in transaction if is_rule(c, "service-", "local-") and scene.concerns(c.name)}
    sticky = {port_of(c.name) for c in transaction if _ties(c)}
    held[:] = sorted({*held} - sticky | {port for port in spread - sticky if port in tied})
    tied[:] = sorted({*tied} | sticky)
    return tuple(c for c in transaction if not (_forgets(c) and port_of(c.name) in held))


def _forgets(command: Command) -> bool:
    # Where the Service goes as well, its chains are emptied and get no rules: they are not held then.
    return command.kind in ("rule", "chain", "set") and command.name.startswith(
        ("service-", "local-", "endpoint-", "affinity-")
    )
