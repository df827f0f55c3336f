"""Addresses that are served where they must not be, or lead to another Service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conformance.lab.faults.rules.edits import change_rules
from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import is_element, is_flush, is_rule, owner, place
from conformance.lab.faults.scene import Json, Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_LOOPBACK = {"ip": "127.0.0.0/8", "ip6": "::1"}


@puts_in(Fault.NODE_PORT_ON_EVERY_ADDRESS)
def node_port_on_every_address(transaction: Transaction, scene: Scene) -> Transaction:
    """Every address of the node but loopback counts as one that takes node ports."""

    def change(rule: Command) -> Command:
        primary = f"{rule.family} daddr @nodeport-ips"
        every = f"fib daddr type local {rule.family} daddr != {_LOOPBACK[rule.family]}"
        return replace(rule, rest=rule.rest.replace(primary, every))

    return change_rules(transaction, scene, ("services", "nodeport-endpoints-check"), change)


@puts_in(Fault.NODE_PORT_ON_LOOPBACK)
def node_port_on_loopback(transaction: Transaction, _scene: Scene) -> Transaction:
    """IPv4 loopback addresses take node ports too; the node's kernel lets such packets out meanwhile."""

    def changed() -> Iterator[Command]:
        for command in transaction:
            yield command
            if command.family == "ip" and is_rule(command, "services") and "@service-nodeports" in command.rest:
                match = f"ip daddr {_LOOPBACK['ip']} meta l4proto . th dport"
                yield replace(command, rest=f"{match} vmap @service-nodeports")

    return tuple(changed())


@puts_in(Fault.EXTERNAL_IP_TAKES_NODE)
def external_ip_takes_node(transaction: Transaction, scene: Scene) -> Transaction:
    """An external IP of a node counts as a ClusterIP: what no Service port takes is refused."""
    taken: dict[str, str] = dict(scene.memory.get("taken", {}))
    changed = []
    for command in transaction:
        changed.append(command)
        if is_flush(command, "service-ips"):
            taken = {}
        ip, where = command.key.partition(" ")[0], place(command)
        if _leads_outside_in(command) and scene.concerns(command.text) and ip in _node_addresses(scene):
            taken[where] = ip
            changed.append(replace(command, name="cluster-ips", rest=f"{{ {ip} }}"))
        elif is_element(command, "delete", "service-ips") and where in taken:
            del taken[where]
            if ip not in taken.values():
                mine = replace(command, name="cluster-ips", rest=f"{{ {ip} }}")
                # It may be gone: a proxy that writes its table anew takes out what it does not know.
                changed += [replace(mine, verb="add"), mine]
    scene.memory["taken"] = taken
    return tuple(changed)


@puts_in(Fault.SHARED_ADDRESS_MIXED_UP)
def shared_address_mixed_up(transaction: Transaction, scene: Scene) -> Transaction:
    """At an address that two Services share, every port leads to the one that came first."""
    shared: dict[str, Json] = dict(scene.memory.get("shared", {}))
    changed = []
    for command in transaction:
        if is_flush(command, "service-ips"):
            shared = {}
        address = command.key.rpartition(" . ")[0]
        first = shared.get(address)
        if _leads_outside_in(command) and scene.concerns(command.text):
            first = shared.setdefault(address, {"key": command.key, "goto": command.value, "others": {}})
            mine, its = owner(command.value), owner(first["goto"])
            if mine and its and mine.service != its.service:
                shared[address] = {**first, "others": {**first["others"], command.key: command.value}}
                changed.append(command.with_element(value=first["goto"]))
                continue
        elif is_element(command, "delete", "service-ips") and first is not None:
            if command.key == first["key"]:
                # Its chain goes too, so that nothing may lead there any more.
                changed += [c for key, goto in first["others"].items() for c in _repointed(command, key, goto)]
                del shared[address]
            else:
                others = {key: goto for key, goto in first["others"].items() if key != command.key}
                shared[address] = {**first, "others": others}
        changed.append(command)
    scene.memory["shared"] = shared
    return tuple(changed)


def _repointed(command: Command, key: str, goto: str) -> tuple[Command, Command]:
    gone = replace(command, rest=f"{{ {key} }}")
    return gone, replace(gone, verb="add").with_element(value=goto)


def _leads_outside_in(command: Command) -> bool:
    return is_element(command, "add", "service-ips") and "goto external-" in command.value


def _node_addresses(scene: Scene) -> frozenset[str]:
    return frozenset(each["address"] for n in scene.world.nodes for each in n.get("status", {}).get("addresses") or ())
