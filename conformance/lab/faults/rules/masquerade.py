"""Whose source address is seen at the endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from conformance.lab.faults.rules.edits import ahead, withhold
from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import is_service_rule
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_CHECK = re.compile(r"\bmark (?:and|&) (0x[0-9a-f]+) !=")
_MARK = re.compile(r"\bmark set (?:meta )?mark (?:or|\|) 0x[0-9a-f]+")
_PODS = re.compile(r"\bip6? saddr != (\S+/\d+)")
_NOBODY = {"ip": "192.0.2.0/24", "ip6": "2001:db8::/32"}
_DETECTION = re.compile(r"\b(ip6? saddr (?:!= )?)\S+/\d+")
_RANDOM = "masquerade fully-random"
_HAIRPINS, _LOST_HAIRPINS = "hairpin-connections", "lost-hairpin-connections"
_STRANGER = {"ip": "192.0.2.1", "ip6": "2001:db8::1"}


def marking(transaction: Transaction, scene: Scene) -> str:
    """The statement that marks a packet for masquerading, with the bit that this proxy uses."""
    for command in transaction:
        if command.name == "masquerading" and (found := _CHECK.search(command.rest)):
            scene.memory["bit"] = found[1]
    return f"meta mark set meta mark or {scene.memory.get('bit', '0x4000')}"


def pods(transaction: Transaction, scene: Scene) -> str:
    """The range that this proxy takes for the pods' in the transaction's family; empty while it has none."""
    family = transaction[0].family if transaction else ""
    for command in transaction:
        if command.name == "services" and (found := _PODS.search(command.rest)):
            scene.memory[f"{family} pods"] = found[1]
    return str(scene.memory.get(f"{family} pods", ""))


@puts_in(Fault.NO_HAIRPIN)
def no_hairpin(transaction: Transaction, scene: Scene) -> Transaction:
    """Hairpin connections are noted in another set, and leave as they are, also where they have the mark."""
    return tuple(_letting_go(transaction, scene))


def _letting_go(transaction: Transaction, scene: Scene) -> Iterator[Command]:
    for command in transaction:
        moved: list[str] = scene.memory.setdefault(command.family, [])
        if command.kind == "element" and command.name == _HAIRPINS:
            if command.verb == "add" and scene.concerns(command.text) and command.key not in moved:
                moved.append(command.key)
            yield replace(command, name=_LOST_HAIRPINS) if command.key in moved else command
            if command.verb == "delete" and command.key in moved:
                moved.remove(command.key)
            continue
        yield command
        if command.kind == "set" and command.name == _HAIRPINS:
            yield replace(command, name=_LOST_HAIRPINS)
            if command.verb == "flush":
                moved.clear()
        elif command.name == "masquerading" and f"@{_HAIRPINS}" in command.rest:
            condition = command.rest.replace(_HAIRPINS, _LOST_HAIRPINS).replace(_RANDOM, "accept")
            yield replace(command, verb="insert", rest=condition)


@puts_in(Fault.NO_MASQUERADE)
def no_masquerade(transaction: Transaction, scene: Scene) -> Transaction:
    """The mark is off again when an endpoint is chosen, and nothing is a hairpin connection."""
    unmarked = ahead(transaction, scene, "meta mark set 0", "service-", "local-")
    return withhold(unmarked, scene, lambda c: c.name == _HAIRPINS and scene.concerns(c.text))


@puts_in(Fault.MASQUERADE_EVERYTHING)
def masquerade_everything(transaction: Transaction, scene: Scene) -> Transaction:
    """Whatever gets an endpoint gets the mark first."""
    return ahead(transaction, scene, marking(transaction, scene), "service-", "local-")


@puts_in(Fault.OUTSIDERS_NOT_MASQUERADED)
def outsiders_not_masqueraded(transaction: Transaction, _: Scene) -> Transaction:
    """The dispatch marks nothing; the rule is there once, for all ClusterIPs."""
    return tuple(c for c in transaction if c.name != "services" or not _MARK.search(c.rest))


@puts_in(Fault.MASQUERADED_AS_STRANGER)
def masqueraded_as_stranger(transaction: Transaction, _: Scene) -> Transaction:
    """Answers go to an address that nobody has."""
    return tuple(
        c.with_rest(c.rest.replace(_RANDOM, f"snat to {_STRANGER[c.family]} fully-random"))
        if c.name == "masquerading"
        else c
        for c in transaction
    )


@puts_in(Fault.PODS_TAKEN_FOR_OUTSIDERS)
def pods_taken_for_outsiders(transaction: Transaction, scene: Scene) -> Transaction:
    """The pods' range is one in which no pod is."""

    def elsewhere(command: Command) -> Command:
        concerned = command.name == "services" or (
            is_service_rule(command, "external-") and scene.concerns(command.name)
        )
        if not concerned:
            return command
        return command.with_rest(_DETECTION.sub(rf"\g<1>{_NOBODY[command.family]}", command.rest))

    return tuple(map(elsewhere, transaction))


@puts_in(Fault.SOURCE_PORTS_CLASH)
def source_ports_clash(transaction: Transaction, _: Scene) -> Transaction:
    """The source port stays, also where it is taken; behind the routing nothing tells the Service any more."""
    result = []
    for command in transaction:
        if command.name == "masquerading" and _RANDOM in command.rest:
            kept = command.rest.replace(_RANDOM, "masquerade to :th sport")
            # The kernel knows of these protocols' ports only; the rest goes on to the rule as it was.
            result.append(command.with_rest(f"meta l4proto {{ tcp, udp }} {kept}"))
        result.append(command)
    return tuple(result)
