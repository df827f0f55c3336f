"""Policies that are misread (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace

from conformance.lab.faults.policy.registry import mis_sees
from conformance.lab.policy.compiling import Direction, isolates
from conformance.lab.policy.view import Json, World
from conformance.spec.faults import Fault

_NOBODY = {"ip": "192.0.2.1/32", "ip6": "2001:db8::1/128"}
_UNUSED = 1
_SYSTEM = "kube-system"


@mis_sees(Fault.NETWORK_POLICY_INGRESS_ONLY)
def ingress_only(world: World) -> World:
    """No policy is about egress."""
    return _edited(world, lambda spec: spec.update(policyTypes=[t for t in _types(spec) if t == "Ingress"] or ["None"]))


@mis_sees(Fault.NETWORK_POLICY_ISOLATES_BOTH_WAYS)
def both_ways(world: World) -> World:
    """Every policy is about both directions."""
    return _edited(world, lambda spec: spec.update(policyTypes=["Ingress", "Egress"]))


@mis_sees(Fault.NETWORK_POLICY_EXCEPT_IGNORED)
def except_ignored(world: World) -> World:
    """An ipBlock is all of its CIDR."""
    return _edited(world, lambda spec: [block.pop("except", None) for block in _blocks(spec)])


@mis_sees(Fault.NETWORK_POLICY_BLOCK_IGNORED)
def block_ignored(world: World) -> World:
    """An ipBlock is nobody."""

    def edit(spec: Json) -> None:
        for block in _blocks(spec):
            block["cidr"] = _NOBODY["ip6" if ":" in block["cidr"] else "ip"]
            block.pop("except", None)

    return _edited(world, edit)


@mis_sees(Fault.NETWORK_POLICY_END_PORT_IGNORED)
def end_port_ignored(world: World) -> World:
    """A range of ports is its first."""
    return _edited(world, lambda spec: [port.pop("endPort", None) for port in _ports(spec)])


@mis_sees(Fault.NETWORK_POLICY_NAMED_PORT_IGNORED)
def named_port_ignored(world: World) -> World:
    """A port's name means a port where nobody listens."""
    return _edited(world, lambda spec: [p.update(port=_UNUSED) for p in _ports(spec) if isinstance(p.get("port"), str)])


@mis_sees(Fault.NETWORK_POLICY_EMPTY_RULE_DENIES)
def empty_rule_denies(world: World) -> World:
    """A rule that lists nobody and no port lets nobody pass."""

    def edit(spec: Json) -> None:
        for way in ("ingress", "egress"):
            if spec.get(way):
                spec[way] = [rule for rule in spec[way] if any(rule.values())]

    return _edited(world, edit)


@mis_sees(Fault.NETWORK_POLICY_SELECTORS_APART)
def selectors_apart(world: World) -> World:
    """A peer with both selectors is two peers."""

    def edit(spec: Json) -> None:
        for rule in _rules(spec):
            for key in ("from", "to"):
                peers = rule.get(key) or []
                split = [{name: value} for peer in peers for name, value in peer.items()]
                if peers:
                    rule[key] = split

    return _edited(world, edit)


@mis_sees(Fault.NETWORK_POLICY_ISOLATES_NAMESPACE)
def isolates_namespace(world: World) -> World:
    """A policy that denies every ingress is about all pods of its namespace."""

    def edit(spec: Json) -> None:
        if not spec.get("ingress") and "Ingress" in _types(spec):
            spec["podSelector"] = {}

    return _edited(world, edit)


@mis_sees(Fault.NETWORK_POLICY_OF_ANY_NAMESPACE)
def of_any_namespace(world: World) -> World:
    """A policy is about the pods of all namespaces but the system's."""
    spaces = sorted({pod.namespace for pod in world.pods} - {_SYSTEM})
    copies = [
        {**policy, "metadata": {**policy["metadata"], "namespace": space}}
        for policy in world.policies
        for space in spaces
    ]
    return replace(world, policies=tuple(copies))


@mis_sees(Fault.NETWORK_POLICY_UNION_LOST)
def union_lost(world: World) -> World:
    """Of policies that are about the same pods in the same direction only one counts."""
    first: dict[str, Json] = {}
    for policy in world.policies:
        ways = [d.value for d in Direction if isolates(policy, d)]
        first.setdefault(f"{policy['metadata']['namespace']} {policy['spec'].get('podSelector')} {ways}", policy)
    return replace(world, policies=tuple(first.values()))


def _edited(world: World, edit: Callable[[Json], object]) -> World:
    """The world with each policy's spec edited in place."""
    policies = deepcopy(world.policies)
    for policy in policies:
        edit(policy["spec"])
    return replace(world, policies=policies)


def _types(spec: Json) -> list[str]:
    return [d.value for d in Direction if isolates({"spec": spec}, d)]


def _rules(spec: Json) -> Iterator[Json]:
    yield from spec.get("ingress") or ()
    yield from spec.get("egress") or ()


def _ports(spec: Json) -> Iterator[Json]:
    for rule in _rules(spec):
        yield from rule.get("ports") or ()


def _blocks(spec: Json) -> Iterator[Json]:
    for rule in _rules(spec):
        for peer in (*(rule.get("from") or ()), *(rule.get("to") or ())):
            if "ipBlock" in peer:
                yield peer["ipBlock"]
