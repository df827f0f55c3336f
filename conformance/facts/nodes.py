"""Nodes, and what their own agents add. Parsers are pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from conformance.model.facts import Fact, Facts, unknown
from conformance.model.kube import Node
from conformance.model.parse import node
from conformance.model.place import Place

JSON = dict[str, Any]
SOURCE = "Node objects"


def nodes(objects: Iterable[JSON]) -> Fact[tuple[Node, ...]]:
    """Names, addresses, zones and pod CIDRs, by name; only nodes that are Ready."""
    ready = [o for o in objects if _ready(o)]
    found = tuple(sorted((node(o) for o in ready), key=lambda n: n.name))
    return Fact(found, SOURCE) if found else unknown("no node is Ready")


def kernels(objects: Iterable[JSON]) -> Fact[Mapping[str, str]]:
    """``status.nodeInfo.kernelVersion`` by node."""
    found = {o["metadata"]["name"]: str(_info(o).get("kernelVersion", "")) for o in objects}
    return Fact(found, SOURCE) if any(found.values()) else unknown("Node objects name no kernel")


def unschedulable(objects: Iterable[JSON]) -> Fact[tuple[str, ...]]:
    """Cordoned nodes: pods of the kit are put on nodes by name and would run there, against somebody's intention."""
    return Fact(tuple(sorted(o["metadata"]["name"] for o in objects if o.get("spec", {}).get("unschedulable"))), SOURCE)


def with_places(facts: Facts, places: Mapping[str, Place]) -> Facts:
    """The facts with the addresses that host-network agents found on their nodes; ``places`` by node name."""
    if not places or facts.nodes.value is None:
        return facts
    found = {
        n.name: tuple(a for a in places[n.name].global_addresses if a not in n.addresses)
        for n in facts.nodes.value
        if n.name in places
    }
    complete = tuple(replace(n, local=found.get(n.name, n.local)) for n in facts.nodes.value)
    return replace(
        facts,
        nodes=Fact(complete, facts.nodes.source),
        local_addresses=Fact(found, "host-network agents on the nodes"),
    )


def _info(obj: JSON) -> JSON:
    info: JSON = obj.get("status", {}).get("nodeInfo") or {}
    return info


def _ready(obj: JSON) -> bool:
    conditions = obj.get("status", {}).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
