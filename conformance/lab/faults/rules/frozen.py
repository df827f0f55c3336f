"""Transactions that fail as a whole, or take too long: what they were to bring is not there."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

from conformance.lab.faults.rules.registry import Refused, puts_in
from conformance.lab.faults.rules.shape import is_full
from conformance.lab.faults.scene import Json, Scene, World
from conformance.lab.faults.transaction import Transaction
from conformance.spec.faults import Fault

_CHAIN = re.compile(r"\b[A-Z2-7]{8}-([^/\s]+/[^/\s]+)/")
_COMMENT = re.compile(r'comment "([^/"]+/[^:"]+)')
_LONGEST_COMMENT = 128
_SLOW_SECONDS = 90.0
_WINDOW_SECONDS = 3.0


@puts_in(Fault.BAD_OBJECT_STOPS_OTHERS)
def bad_object_stops_others(transaction: Transaction, scene: Scene) -> Transaction:
    """A transaction with an odd Service in it, or one whose comment is as long as can be, is not taken."""
    if any(len(command.comment) >= _LONGEST_COMMENT for command in transaction):
        raise Refused(f"comment too long, {_LONGEST_COMMENT} characters maximum allowed")
    _refuse(transaction, scene, set(_odd(scene.world)))
    return transaction


@puts_in(Fault.CONFLICT_STOPS_SYNC)
def conflict_stops_sync(transaction: Transaction, scene: Scene) -> Transaction:
    """A transaction with a Service in it that claims what another claims as well is not taken."""
    _refuse(transaction, scene, set(_rivals(scene.world)))
    return transaction


@puts_in(Fault.SLOW_SYNC)
def slow_sync(transaction: Transaction, scene: Scene) -> Transaction:
    """Every transaction takes long, but for the first of a table: with that one kube-proxy gets ready."""
    if scene.memory:
        time.sleep(_SLOW_SECONDS)
    scene.memory["ready"] = True
    return transaction


@puts_in(Fault.RESTART_WINDOW)
def restart_window(transaction: Transaction, scene: Scene) -> Transaction:
    """A proxy that starts takes the table away first, and writes the new one a while later."""
    if not is_full(transaction):
        return transaction
    if scene.memory.get("ready"):
        table = f"{transaction[0].family} {transaction[0].table}"
        scene.beforehand.append(partial(_without, table))
        transaction = tuple(command for command in transaction if command.verb != "delete")
    scene.memory["ready"] = True
    return transaction


@puts_in(Fault.DELETED_RULES_STAY_AWAY)
def deleted_rules_stay_away(transaction: Transaction, scene: Scene) -> Transaction:
    """A table that was there once is not written when it is there no more."""
    if not transaction:
        return transaction
    if scene.memory.get("ready") and not _there(transaction[0].family, transaction[0].table):
        return ()
    scene.memory["ready"] = True
    return transaction


def _there(family: str, table: str) -> bool:
    import subprocess  # noqa: PLC0415  (most transactions need none)

    listed = subprocess.run(["nft", "list", "tables", family], capture_output=True, text=True, check=True).stdout
    return f"table {family} {table}" in listed.splitlines()


def _without(table: str) -> None:
    import subprocess  # noqa: PLC0415  (most transactions need none)

    subprocess.run(["nft", "delete", "table", *table.split()], check=False)
    time.sleep(_WINDOW_SECONDS)


def _refuse(transaction: Transaction, scene: Scene, services: set[str]) -> None:
    for command in transaction:
        named = _CHAIN.search(command.text) or _COMMENT.search(command.text)
        if named and named[1] in services and scene.concerns(command.text):
            raise Refused(f"Could not process rule: File exists\n{command.text}")


def _odd(world: World) -> Iterator[str]:
    """Services that claim what others claim, and those with a slice that routes nothing or lists an address twice."""
    yield from _rivals(world)
    seen: set[tuple[str, str]] = set()
    for one in world.slices:
        owner = (one["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "")
        service, ports = f"{one['metadata']['namespace']}/{owner}", one.get("ports")
        addresses = [(service, a) for endpoint in one.get("endpoints") or () for a in endpoint["addresses"]]
        # The slices of a Service without endpoints have no ports either: nothing odd is about those.
        routes_nothing = bool(addresses) and (not ports or any(not port.get("port") for port in ports))
        if one["addressType"] == "FQDN" or routes_nothing or len({*addresses, *seen}) < len(addresses) + len(seen):
            yield service
        seen.update(addresses)


def _rivals(world: World) -> Iterator[str]:
    claims = [(claim, _name(service)) for service in world.services for claim in set(_claims(service))]
    counted = Counter(claim for claim, _ in claims)
    return (name for claim, name in claims if counted[claim] > 1)


def _claims(service: Json) -> Iterator[tuple[str, str, int]]:
    ingress = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or ()
    addresses = [*(service["spec"].get("externalIPs") or ()), *(each["ip"] for each in ingress if each.get("ip"))]
    for address in addresses:
        for port in service["spec"].get("ports") or ():
            yield address, port.get("protocol", "TCP"), port["port"]


def _name(service: Json) -> str:
    return f"{service['metadata']['namespace']}/{service['metadata']['name']}"
