"""loadBalancerSourceRanges."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.lab.faults.rules.edits import ahead, withhold
from conformance.lab.faults.rules.elements import add_own, follow
from conformance.lab.faults.rules.masquerade import pods
from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import is_service_rule, port_of
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_LISTED = re.compile(r"\{([^}]*)\}")


@puts_in(Fault.SOURCE_RANGES_IGNORED)
def ignored(transaction: Transaction, scene: Scene) -> Transaction:
    """No address is subject to source ranges."""
    return withhold(transaction, scene, lambda c: c.name == "firewall-ips" and scene.concerns(c.text))


@puts_in(Fault.SOURCE_RANGES_SKIP_NODE)
def skip_node(transaction: Transaction, scene: Scene) -> Transaction:
    """The node's own processes leave the check."""
    return ahead(transaction, scene, "fib saddr type local return", "firewall-")


@puts_in(Fault.SOURCE_RANGES_SKIP_PODS)
def skip_pods(transaction: Transaction, scene: Scene) -> Transaction:
    """Pods leave the check."""
    cidr = pods(transaction, scene)
    return (
        ahead(transaction, scene, f"{transaction[0].family} saddr {cidr} return", "firewall-") if cidr else transaction
    )


@puts_in(Fault.SOURCE_RANGES_FORGET_VIP)
def forget_vip(transaction: Transaction, scene: Scene) -> Transaction:
    """The ranges are all that counts; a range has a slash, and a balancer's address has none."""

    def ranges_only(command: Command) -> Command:
        if not (is_service_rule(command, "firewall-") and scene.concerns(command.name)):
            return command
        return command.with_rest(_LISTED.sub(lambda m: f"{{ {', '.join(_ranges(m[1]))} }}", command.rest))

    return tuple(map(ranges_only, transaction))


@puts_in(Fault.SOURCE_RANGES_ELSEWHERE)
def elsewhere(transaction: Transaction, scene: Scene) -> Transaction:
    """Every address and node port of a Service that has source ranges is subject to them."""
    known = follow(transaction, scene, "firewall-ips", "service-ips", "service-nodeports", "nodeport-ips")
    filtered = known["firewall-ips"]
    firewalls = {_base(value): value for value in filtered.values() if scene.concerns(value)}
    wanted = {k: firewalls[_base(v)] for k, v in known["service-ips"].items() if _base(v) in firewalls}
    for port, verdict in known["service-nodeports"].items():
        if _base(verdict) in firewalls:
            wanted |= {f"{ip} . {port}": firewalls[_base(verdict)] for ip in known["nodeport-ips"]}
    return add_own(transaction, scene, "firewall-ips", {k: v for k, v in wanted.items() if k not in filtered})


@puts_in(Fault.SOURCE_RANGES_DROP_ALL)
def drop_all(transaction: Transaction, scene: Scene) -> Transaction:
    """The addresses of a Service that has source ranges, whichever, let nobody in."""
    known = follow(transaction, scene, "firewall-ips", "service-ips")
    if any(c.name == "service-ips" and c.value.startswith("goto external-") for c in transaction):
        scene.memory["closed"] = sorted(_with_ranges(scene))
    closed = {*scene.memory.get("closed", ())}
    wanted = {
        key: "drop"
        for key, verdict in known["service-ips"].items()
        if key not in known["firewall-ips"] and f"{port_of(verdict[5:])} {key.split()[0]}" in closed
    }
    return add_own(tuple(_dropping(transaction, scene)), scene, "firewall-ips", wanted)


def _dropping(transaction: Transaction, scene: Scene) -> Iterator[Command]:
    for command in transaction:
        firewall = (command.verb, command.kind, command.name) == ("add", "element", "firewall-ips")
        yield command.with_element(value="drop") if firewall and scene.concerns(command.text) else command


def _with_ranges(scene: Scene) -> Iterator[str]:
    """Port and balancer's address of every Service with source ranges: it need not have rules for them here."""
    for service in scene.world.services:
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        if not service["spec"].get("loadBalancerSourceRanges") or not scene.switch.is_about(namespace, name):
            continue
        for ingress in (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or ():
            for port in service["spec"]["ports"]:
                owned = f"{namespace}/{name}/{port['protocol'].lower()}/{port.get('name') or ''}"
                yield f"{owned} {ingress.get('ip')}"


def _base(verdict: str) -> str:
    """What the chains of one Service port have in common: ``N4TWXLTW-default/web/tcp/http``."""
    return verdict.partition("-")[2]


def _ranges(listed: str) -> list[str]:
    return [part.strip() for part in listed.split(",") if "/" in part]
