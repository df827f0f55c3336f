"""A Service without endpoints that answers: other Services' endpoints do it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import ENTRANCES, SILENCES, is_element, is_flush, is_rule, place
from conformance.lab.faults.rules.verdicts import refuses
from conformance.lab.faults.scene import Json, Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_CHAIN = "service-NFTCONFO-nftconform/answers"
"""Like a Service's: a proxy that starts takes such chains away when it does not know them."""
_DNAT = re.compile(r"^meta l4proto (?P<protocol>\S+) dnat .* map ")
_MARK = re.compile(r"meta mark set \S+ \S+ or \S+|meta mark set mark or \S+")
_ENTRANCE = dict(zip(SILENCES, ENTRANCES, strict=True))


@puts_in(Fault.NO_ENDPOINTS_ANSWERS)
def no_endpoints_answers(transaction: Transaction, scene: Scene) -> Transaction:
    """What is to be refused is sent where the last Service's packets go, as soon as there is one."""
    waiting, answering = set(scene.memory.get("waiting", ())), set(scene.memory.get("answering", ()))
    passed, leaving = [], []
    for command in transaction:
        if is_flush(command, *SILENCES):
            waiting, answering = _without(waiting, command), _without(answering, command)
        if refuses(command) and scene.concerns(command.text):
            waiting.add(place(command))
        elif is_element(command, "delete", *SILENCES) and place(command) in waiting:
            waiting.remove(place(command))
        elif is_element(command, "delete", *SILENCES) and place(command) in answering:
            answering.remove(place(command))
            leaving.append(replace(command, name=_ENTRANCE[command.name]))
        elif not command.name.startswith(_CHAIN):
            _remember(command, scene.memory)
            passed.append(command)
    known = {where for where in waiting if _protocol(where) in scene.memory}
    arriving = [c for where in sorted(known) for c in _answer(transaction[0].family, where, scene.memory)]
    scene.memory.update(waiting=sorted(waiting - known), answering=sorted(answering | known))
    # First what leaves: the Service may have endpoints now, and an element of its own under the same key.
    return (*leaving, *passed, *arriving)


def _remember(command: Command, memory: Json) -> None:
    """Note where the endpoints of a Service are, and how to have packets masqueraded."""
    if is_rule(command, "service-", "local-") and (found := _DNAT.match(command.rest)):
        memory[found["protocol"]] = command.rest
    elif is_rule(command, "services", "external-") and (mark := _MARK.search(command.rest)):
        memory["mark"] = mark[0]


def _answer(family: str, where: str, memory: Json) -> Iterator[Command]:
    silence, key = where.split(" ", 1)
    protocol = _protocol(where)
    chain = f"{_CHAIN}/{protocol}/"
    yield Command("add", "chain", family, "kube-proxy", chain)
    yield Command("flush", "chain", family, "kube-proxy", chain)
    # The endpoint's answer must come back by this node, whoever asked.
    if mark := memory.get("mark"):
        yield Command("add", "rule", family, "kube-proxy", chain, mark)
    yield Command("add", "rule", family, "kube-proxy", chain, memory[protocol])
    yield Command("add", "element", family, "kube-proxy", _ENTRANCE[silence], f"{{ {key} : goto {chain} }}")


def _protocol(where: str) -> str:
    *_, protocol, _dot, _port = where.split()
    return protocol


def _without(places: Iterable[str], flushed: Command) -> set[str]:
    return {where for where in places if not where.startswith(f"{flushed.name} ")}
