"""Connection tracking forgets, or is not asked, when kube-proxy changes its rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import is_full
from conformance.lab.faults.scene import Scene, with_libraries
from conformance.lab.faults.transaction import Command, Transaction
from conformance.model.addresses import Family, Protocol
from conformance.spec.faults import Fault

_FAMILIES = {"ip": Family.IPV4, "ip6": Family.IPV6}
_IPS = "service-ips"


@puts_in(Fault.FLOWS_FORGOTTEN)
def flows_forgotten(transaction: Transaction, scene: Scene) -> Transaction:
    """Whenever the endpoints of any Service change, every translated UDP flow is forgotten."""
    if any(map(_rewrites, transaction)):
        scene.afterwards.append(_forgetting(transaction, scene.concerns))
    return transaction


@puts_in(Fault.RESTART_FORGETS_FLOWS)
def restart_forgets_flows(transaction: Transaction, scene: Scene) -> Transaction:
    """When a proxy that is not the first has started, every translated UDP flow is forgotten."""
    if is_full(transaction):
        if scene.memory.get("ready"):
            scene.afterwards.append(_forgetting(transaction, scene.concerns))
        scene.memory["ready"] = True
    return transaction


@puts_in(Fault.FLOWS_FORGOTTEN_BY_ADDRESS)
def flows_forgotten_by_address(transaction: Transaction, scene: Scene) -> Transaction:
    """Whenever the endpoints of one port change, UDP flows to all ports of its addresses are forgotten."""
    chains: dict[str, str] = scene.memory
    chains |= {c.key: c.value.split()[-1] for c in transaction if _adds_entry(c)}
    changed = {c.name for c in transaction if _rewrites(c)}
    hit = {key.split()[0] for key, chain in chains.items() if chain in changed and scene.concerns(chain)}
    if hit:
        scene.afterwards.append(_forgetting(transaction, hit.__contains__))
    return transaction


@puts_in(Fault.ESTABLISHED_CHECKED)
def established_checked(transaction: Transaction, _scene: Scene) -> Transaction:
    """The jump to the check of source ranges is for every packet, not for the first of a connection alone."""
    jump = "jump firewall-check"
    return tuple(
        replace(c, rest=jump) if c.kind == "rule" and c.rest.startswith("ct state new") and jump in c.rest else c
        for c in transaction
    )


def _adds_entry(command: Command) -> bool:
    return (command.verb, command.kind, command.name) == ("add", "element", _IPS)


def _rewrites(command: Command) -> bool:
    """Whether ``command`` is about the endpoints of a Service's port."""
    return command.kind in ("chain", "rule") and command.name.startswith(("service-", "local-"))


def _forgetting(transaction: Transaction, hit: Callable[[str], bool]) -> Callable[[], None]:
    """What makes the kernel forget the translated UDP flows to the addresses that are ``hit``."""
    family = _FAMILIES[transaction[0].family]

    def forget() -> None:
        with_libraries()
        from conformance.lab.proxy import netlink  # noqa: PLC0415  (every transaction would pay for it)

        tracked = netlink.flows(family, Protocol.UDP)
        netlink.forget(family, [flow for flow in tracked if flow.translated and hit(flow.destination[0])])

    return forget
