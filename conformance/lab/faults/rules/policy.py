"""Traffic policies: what happens without a local endpoint, and to the cluster's own clients."""

from __future__ import annotations

import re
from collections.abc import Callable

from conformance.lab.faults.rules.edits import ahead_where
from conformance.lab.faults.rules.masquerade import marking
from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import is_service_rule, port_of
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_SHORT_CIRCUIT = re.compile(r"\S goto service-")
_CHECKS = "ct state new jump nodeport-endpoints-check", "ct state new jump service-endpoints-check"


def _short_circuits(command: Command) -> bool:
    """Whether it sends some clients past a Local policy; under policy Cluster all go there, without a condition."""
    return is_service_rule(command, "external-") and bool(_SHORT_CIRCUIT.search(command.rest))


@puts_in(Fault.LOCAL_POLICY_MASQUERADES)
def local_policy_masquerades(transaction: Transaction, scene: Scene) -> Transaction:
    """The chains of externalTrafficPolicy Local mark everything."""
    local = {c.name for c in transaction if _short_circuits(c) and scene.concerns(c.name)}
    return ahead_where(transaction, marking(transaction, scene), local.__contains__)


@puts_in(Fault.LOCAL_POLICY_REFUSES)
def local_policy_refuses(transaction: Transaction, scene: Scene) -> Transaction:
    """What is to be dropped for want of a local endpoint is rejected, as if there were none anywhere."""

    def rejected(command: Command) -> Command:
        drops = command.kind == "element" and command.name.startswith("no-endpoint-") and command.value == "drop"
        return command.with_element(value="goto reject-chain") if drops and scene.concerns(command.text) else command

    return tuple(map(rejected, transaction))


def _without(transaction: Transaction, gone: Callable[[Command], bool]) -> Transaction:
    return tuple(c for c in transaction if not gone(c))


@puts_in(Fault.LOCAL_POLICY_NO_SHORT_CIRCUIT)
def no_short_circuit(transaction: Transaction, scene: Scene) -> Transaction:
    """Pods and nodes are subject to externalTrafficPolicy as everybody."""
    return _without(transaction, lambda c: _short_circuits(c) and scene.concerns(c.name))


@puts_in(Fault.LOCAL_POLICY_FORGETS_NODES)
def forgets_nodes(transaction: Transaction, scene: Scene) -> Transaction:
    """Only pods are sent past the policy: as on a kernel without ``fib``."""
    return _without(
        transaction,
        lambda c: is_service_rule(c, "external-") and "fib saddr type local" in c.rest and scene.concerns(c.name),
    )


@puts_in(Fault.ENDPOINTS_MISSED_TOO_EARLY)
def endpoints_missed_too_early(transaction: Transaction, _: Scene) -> Transaction:
    """Whether there is a local endpoint is asked before anybody is sent past the policy, as until 1.33."""
    result: Transaction = transaction
    for check in _CHECKS:
        result = ahead_where(
            result, check, lambda name: name in ("filter-prerouting-pre-dnat", "filter-output-pre-dnat")
        )
    return result


@puts_in(Fault.LOCAL_POLICY_TAKES_CLUSTER_IP)
def takes_cluster_ip(transaction: Transaction, scene: Scene) -> Transaction:
    """The chain of policy Cluster begins, for ClusterIPs, with the rules of policy Local, or drops for want of them.

    They are copied: a jump would keep the chain from going when its endpoints do.
    """
    family = transaction[0].family if transaction else ""
    locals_: dict[str, list[str]] = scene.memory.setdefault(f"{family} locals", {})
    policies: dict[str, bool] = scene.memory.setdefault(f"{family} policies", {})
    for command in transaction:
        port = port_of(command.name)
        if command.kind == "chain" and command.name.startswith("local-") and command.verb in ("add", "flush"):
            locals_[port] = []
        elif command.kind == "chain" and command.name.startswith("external-") and command.verb in ("add", "flush"):
            policies[port] = False
        elif is_service_rule(command, "local-"):
            locals_[port] = [*locals_.get(port, ()), command.rest]
        elif _short_circuits(command):
            policies[port] = True
    result = transaction
    for chain in dict.fromkeys(
        c.name for c in transaction if is_service_rule(c, "service-") and scene.concerns(c.name)
    ):
        port = port_of(chain)
        if policies.get(port):
            for rule in reversed(locals_.get(port) or ["drop"]):
                text = f"{family} daddr @cluster-ips {rule}"
                result = (*result, Command("insert", "rule", family, transaction[0].table, chain, text))
    return result
