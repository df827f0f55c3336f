"""Nodes, and what their own agents add. Parsers are pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from conformance.facts.answer import JSON, Answer, at, dicts, text
from conformance.model.facts import Fact, Facts, unknown
from conformance.model.fields import MalformedObject
from conformance.model.kube import Node
from conformance.model.parse import ZONE_LABEL, node
from conformance.model.place import Place
from conformance.model.printable import short

SOURCE = "Nodes"


def nodes(objects: Answer[list[JSON]]) -> Fact[tuple[Node, ...]]:
    """Names, addresses, zones and pod CIDRs, by name; only nodes that are Ready."""
    if objects.found is None:
        return unknown(objects.where)
    try:
        found = tuple(sorted((node(o) for o in objects.found if _ready(o)), key=lambda n: n.name))
    except MalformedObject as fault:
        return unknown(short(str(fault)))
    return Fact(found, SOURCE) if found else unknown("no node is Ready")


def zones(objects: Answer[list[JSON]]) -> Fact[Mapping[str, str]]:
    """The label ``topology.kubernetes.io/zone``, of the nodes that have it."""
    return _by_node(objects, f"label {ZONE_LABEL}", "metadata", "labels", ZONE_LABEL)


def info(objects: Answer[list[JSON]], field: str) -> Fact[Mapping[str, str]]:
    """A field of ``status.nodeInfo``, e.g. ``kernelVersion`` or ``containerRuntimeVersion``."""
    return _by_node(objects, f"nodeInfo.{field}", "status", "nodeInfo", field)


def unschedulable(objects: Answer[list[JSON]]) -> Fact[tuple[str, ...]]:
    """Cordoned nodes: pods of the kit are put on nodes by name and would run there, against somebody's intention."""
    if objects.found is None:
        return unknown(objects.where)
    cordoned = (o for o in objects.found if at(o, "spec", "unschedulable") is True)
    return Fact(tuple(sorted(text(at(o, "metadata", "name")) for o in cordoned)), SOURCE)


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
    return facts.learned(
        nodes=Fact(complete, facts.nodes.source),
        local_addresses=Fact(found, "host-network agents on the nodes"),
    )


def by_node(found: Mapping[str, str], where: str) -> Fact[Mapping[str, str]]:
    """What was found on each node; a node of which nothing is known is left out."""
    known = {name: short(value) for name, value in sorted(found.items()) if value}
    return Fact(known, where) if known else unknown(f"{where}: none could be asked")


def away(objects: Iterable[JSON], names: Iterable[str]) -> dict[str, str]:
    """Of the nodes ``names`` those that are not Ready, or not in the cluster at all, with a phrase that says so."""
    there = {text(at(o, "metadata", "name")): o for o in objects}
    found = {name: there.get(name) for name in names}
    return {
        name: f"is not Ready: {_complaint(obj)}" if obj else "is not in the cluster any more"
        for name, obj in found.items()
        if obj is None or not _ready(obj)
    }


def _complaint(obj: JSON) -> str:
    said = (c for c in dicts(at(obj, "status", "conditions")) if c.get("type") == "Ready")
    return next((short(text(c.get("message"))) for c in said), "it has no such condition")


def _by_node(objects: Answer[list[JSON]], what: str, *path: str) -> Fact[Mapping[str, str]]:
    if objects.found is None:
        return unknown(objects.where)
    found = {text(at(o, "metadata", "name")): text(at(o, *path)) for o in objects.found}
    known = {name: value for name, value in sorted(found.items()) if value}
    return Fact(known, f"{SOURCE}, {what}") if known else unknown(f"{SOURCE} have no {what}")


def _ready(obj: JSON) -> bool:
    conditions = dicts(at(obj, "status", "conditions"))
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
