"""Services, or parts of them, that the kernel never hears of."""

from __future__ import annotations

from conformance.lab.faults.rules.edits import withhold
from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import ENTRANCES, PER_SERVICE, SILENCES, is_flush, is_rule, owner
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_WRONG_NODE = "node-b"


@puts_in(Fault.NO_SERVICE_RULES)
def no_service_rules(transaction: Transaction, scene: Scene) -> Transaction:
    """Every map and set that Services fill stays empty."""
    return withhold(transaction, scene, lambda c: c.name in PER_SERVICE and scene.concerns(c.text))


@puts_in(Fault.ONE_NODE_WRONG)
def one_node_wrong(transaction: Transaction, scene: Scene) -> Transaction:
    """No rule for a Service on one node: ``--node``, or node-b of the lab."""
    return no_service_rules(transaction, scene) if scene.node == (scene.switch.node or _WRONG_NODE) else transaction


@puts_in(Fault.ONE_FAMILY_MISSING)
def one_family_missing(transaction: Transaction, scene: Scene) -> Transaction:
    """Nothing leads to a Service over IPv6."""
    return withhold(
        transaction, scene, lambda c: c.family == "ip6" and c.name in PER_SERVICE and scene.concerns(c.text)
    )


@puts_in(Fault.ONE_PROTOCOL_MISSING)
def one_protocol_missing(transaction: Transaction, scene: Scene) -> Transaction:
    """Nothing leads to a Service over another protocol than TCP."""

    def unwanted(command: Command) -> bool:
        return (
            command.name in (*ENTRANCES, *SILENCES)
            and "tcp" not in command.key.split()
            and scene.concerns(command.text)
        )

    return withhold(transaction, scene, unwanted)


@puts_in(Fault.ONE_PORT_MISSING)
def one_port_missing(transaction: Transaction, scene: Scene) -> Transaction:
    """Of the ports that a Service has over one protocol only the one that came first is led to."""
    if any(is_flush(c, *ENTRANCES) for c in transaction):
        scene.memory.pop("first", None)
    first: dict[str, str] = dict(scene.memory.get("first", {}))

    def unwanted(command: Command) -> bool:
        mine = owner(command.value)
        if command.name not in ENTRANCES or mine is None or not scene.concerns(command.text):
            return False
        return first.setdefault(f"{mine.service} {mine.protocol}", mine.port) != mine.port

    passed = withhold(transaction, scene, unwanted)
    scene.memory["first"] = first
    return passed


@puts_in(Fault.NODE_PORT_NOT_SERVED)
def node_port_not_served(transaction: Transaction, scene: Scene) -> Transaction:
    """The map service-nodeports stays empty."""
    return withhold(transaction, scene, lambda c: c.name == "service-nodeports" and scene.concerns(c.text))


@puts_in(Fault.BASE_JUMP_MISSING)
def base_jump_missing(transaction: Transaction, _scene: Scene) -> Transaction:
    """What the node itself sends does not come to the rules of Services."""
    return tuple(c for c in transaction if not is_rule(c, "nat-output"))
