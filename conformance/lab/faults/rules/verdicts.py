"""Refused, dropped or let through: what becomes of packets that lead nowhere."""

from __future__ import annotations

from dataclasses import replace

from conformance.lab.faults.rules.edits import change_rules
from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import SILENCES, is_element
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_CHECK = ("cluster-ips-check",)


def refuses(command: Command) -> bool:
    """Whether it has packets to a Service without endpoints refused."""
    return is_element(command, "add", *SILENCES) and "reject" in command.value


@puts_in(Fault.NO_ENDPOINTS_DROPS)
def no_endpoints_drops(transaction: Transaction, scene: Scene) -> Transaction:
    """The verdict is drop, not reject."""
    return tuple(c.with_element(value="drop") if refuses(c) and scene.concerns(c.text) else c for c in transaction)


@puts_in(Fault.UNUSED_PORT_FORWARDED)
def unused_port_forwarded(transaction: Transaction, scene: Scene) -> Transaction:
    """Packets to a ClusterIP that no Service port took are let through."""
    return _let_through(transaction, scene, "meta l4proto != { icmp, icmpv6 }")


@puts_in(Fault.ECHO_FORWARDED)
def echo_forwarded(transaction: Transaction, scene: Scene) -> Transaction:
    """ICMP to a ClusterIP is let through."""
    return _let_through(transaction, scene, "meta l4proto { icmp, icmpv6 }")


def _let_through(transaction: Transaction, scene: Scene, match: str) -> Transaction:
    through = []
    for command in transaction:
        if command.name == _CHECK[0] and command.kind == "rule" and "reject" in command.rest:
            through.append(replace(command, rest=f"{command.family} daddr @cluster-ips {match} accept"))
        through.append(command)
    return tuple(through)


@puts_in(Fault.UNALLOCATED_FORWARDED)
def unallocated_forwarded(transaction: Transaction, scene: Scene) -> Transaction:
    """No rule drops what goes to the rest of the Service CIDRs."""
    return change_rules(transaction, scene, _CHECK, lambda rule: None if "drop" in rule.rest.split() else rule)
