"""Rules that are to go stay: what a Service has given up is served on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from conformance.lab.faults.rules.registry import Rewrite, puts_in
from conformance.lab.faults.scene import Json, Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

IPS, NODE_PORTS = "service-ips", "service-nodeports"
_CLOSED = {IPS: "no-endpoint-services", NODE_PORTS: "no-endpoint-nodeports"}
_MAPS = (*_CLOSED, *_CLOSED.values())
_CHAIN = re.compile(r"\b[a-z]+-[A-Z2-7]{8}-((?:[^/\s]+/){3}[^/\s]*?)(?:__\S+)?$")
_COMMENT = re.compile(r"([^/]+/[^:]+)")
_VERSIONS = {"ip": ".", "ip6": ":"}

Entries = dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Gone:
    """An entry of a map that its Service gives up; ``path`` is ``namespace/name/protocol/port``."""

    container: str
    key: str
    value: str
    path: str

    @property
    def service(self) -> str:
        """``namespace/name``."""
        return _service(self.path)

    @property
    def address(self) -> str:
        """The address of an entry that has one."""
        return self.key.split()[0]


@dataclass
class Ledger:
    """What one table would hold without the fault, and what it holds on because of it; kept in a scene's memory.

    ``wanted`` and ``stale`` are by map and key: the verdict, and the path or the Service that it belongs to.
    """

    wanted: Entries = field(default_factory=lambda: {name: {} for name in _MAPS})
    stale: Entries = field(default_factory=lambda: {name: {} for name in _CLOSED})

    def take(self, transaction: Transaction) -> Iterator[Gone]:
        """Follow ``transaction``; what it takes from a Service, unless that only has no endpoints for it any more."""
        before = {name: dict(self.wanted[name]) for name in _CLOSED}
        for command in transaction:
            if command.name not in _MAPS:
                continue
            entries = self.wanted[command.name]
            if (command.verb, command.kind) == ("flush", "map"):
                entries.clear()
            elif command.kind == "element" and command.verb == "add":
                entries[command.key] = [command.value, _path(command.value) or _commented(command)]
            elif command.kind == "element":
                entries.pop(command.key, None)
        for container, closed in _CLOSED.items():
            now = self.wanted[container] | self.wanted[closed]
            for key, (value, path) in before[container].items():
                if key not in now or _service(now[key][1]) != _service(path):
                    yield Gone(container, key, value, path)

    def owners(self, container: str) -> Iterator[tuple[str, str]]:
        """The keys that are to be in ``container``, served or closed, and whose they are."""
        for name in (container, _CLOSED[container]):
            yield from ((key, owner) for key, (_, owner) in self.wanted[name].items())

    def serves(self, service: str) -> bool:
        """Whether the table is to hold anything of ``service``."""
        return any(_service(owner) == service for name in _CLOSED for _, owner in self.owners(name))

    def kept(self) -> set[str]:
        """The paths whose chains have to stay, because a stale entry leads there."""
        return {path for entries in self.stale.values() for _, path in entries.values()}


Stays = Callable[[Gone, Ledger, Scene, str], bool]


def keeping(stays: Stays) -> Rewrite:
    """The rewrite that keeps what ``stays`` says of what goes: the last argument is the table's family, as nft says."""

    def rewrite(transaction: Transaction, scene: Scene) -> Transaction:
        ledger = Ledger(**scene.memory)
        for gone in ledger.take(transaction):
            if scene.concerns(gone.value) and stays(gone, ledger, scene, transaction[0].family):
                ledger.stale[gone.container].setdefault(gone.key, [gone.value, gone.path])
        for container, entries in ledger.stale.items():
            for key in [key for key, entry in entries.items() if ledger.wanted[container].get(key) == entry]:
                del entries[key]
        scene.memory.update(wanted=ledger.wanted, stale=ledger.stale)
        return (*_without(transaction, ledger), *_again(transaction, ledger))

    return rewrite


def _without(transaction: Transaction, ledger: Ledger) -> Iterator[Command]:
    """``transaction``, but for what would take away, or replace, a stale entry and what it leads to."""
    kept, refilled = ledger.kept(), {c.name for c in transaction if (c.verb, c.kind) == ("add", "rule")}
    for command in transaction:
        entry = command.kind == "element" and command.key in ledger.stale.get(command.name, ())
        leaving = command.verb in ("flush", "delete") and command.kind in ("chain", "set")
        if not entry and not (leaving and _path(command.name) in kept and command.name not in refilled):
            yield command


def _again(transaction: Transaction, ledger: Ledger) -> Iterator[Command]:
    """The stale entries of maps that ``transaction`` empties, to be added at its end."""
    for command in transaction:
        if (command.verb, command.kind) == ("flush", "map"):
            for key, (value, _) in ledger.stale.get(command.name, {}).items():
                yield Command("add", "element", command.family, command.table, command.name, f"{{ {key} : {value} }}")


def _path(text: str) -> str:
    """``namespace/name/protocol/port`` of a chain's or a set's name, or of the verdict that leads there."""
    found = _CHAIN.search(text)
    return found[1] if found else ""


def _commented(command: Command) -> str:
    found = _COMMENT.match(command.comment)
    return found[1] if found else ""


def _service(path: str) -> str:
    return "/".join(path.split("/")[:2])


def _exists(gone: Gone, scene: Scene) -> Json | None:
    named = (s for s in scene.world.services if f"{s['metadata']['namespace']}/{s['metadata']['name']}" == gone.service)
    return next(named, None)


@puts_in(Fault.STALE_SERVICE)
@keeping
def stale_service(gone: Gone, ledger: Ledger, scene: Scene, _family: str) -> bool:
    """What belongs to a Service that the API does not have any more."""
    return not ledger.serves(gone.service) and _exists(gone, scene) is None


@puts_in(Fault.STALE_FAMILY)
@keeping
def stale_family(gone: Gone, ledger: Ledger, scene: Scene, family: str) -> bool:
    """What belongs to a Service that lives on, but has no ClusterIP of the family."""
    if ledger.serves(gone.service) or (there := _exists(gone, scene)) is None:
        return False
    addresses = there["spec"].get("clusterIPs") or ()
    return bool(addresses) and not any(_VERSIONS[family] in address for address in addresses)


@puts_in(Fault.STALE_PORT)
@keeping
def stale_port(gone: Gone, ledger: Ledger, _scene: Scene, _family: str) -> bool:
    """A port of an address that the Service keeps, and the node port of a port that it has no more."""
    owners = [(key, owner) for key, owner in ledger.owners(IPS) if _service(owner) == gone.service]
    if gone.container == IPS:
        return any(key.split()[0] == gone.address for key, _ in owners)
    return bool(owners) and all(owner != gone.path for _, owner in owners)


@puts_in(Fault.OLD_ADDRESS_SERVED)
@keeping
def old_address_served(gone: Gone, ledger: Ledger, _scene: Scene, _family: str) -> bool:
    """Every port of an address that the Service does not have any more, be it because there is no Service."""
    mine = {key.split()[0] for key, owner in ledger.owners(IPS) if _service(owner) == gone.service}
    return gone.container == IPS and gone.address not in mine


@puts_in(Fault.OLD_NODE_PORT_SERVED)
@keeping
def old_node_port_served(gone: Gone, _ledger: Ledger, _scene: Scene, _family: str) -> bool:
    """Every node port that goes."""
    return gone.container == NODE_PORTS


@puts_in(Fault.LEAKED_CHAINS)
def leaked_chains(transaction: Transaction, scene: Scene) -> Transaction:
    """Chains of Services, and affinity sets, that nothing needs any more are neither emptied nor deleted."""
    refilled = {c.name for c in transaction if (c.verb, c.kind) == ("add", "rule")}

    def leaving(command: Command) -> bool:
        gone = command.verb == "delete" or (command.verb == "flush" and command.name not in refilled)
        return gone and command.kind in ("chain", "set") and bool(_path(command.name)) and scene.concerns(command.name)

    return tuple(command for command in transaction if not leaving(command))
