"""Which endpoint is chosen, how often, and at which port."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from conformance.lab.faults.rules.edits import change_rules
from conformance.lab.faults.rules.registry import puts_in
from conformance.lab.faults.rules.shape import is_rule, owner
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Command, Transaction
from conformance.spec.faults import Fault

_CHOOSING = ("service-", "local-")
_SPREAD = re.compile(r"(?P<before>numgen random mod) \d+ (?P<map>v?map) \{(?P<pairs>[^}]*)\}")
_NOBODY = "1"
"""A port that nothing listens on."""


def choices(rule: Command) -> tuple[str, ...]:
    """What a rule chooses from, each as written: ``10.244.1.11 . 8080`` or ``goto endpoint-...``; often empty."""
    found = _SPREAD.search(rule.rest)
    pairs = found["pairs"].split(",") if found else ()
    return tuple(pair.partition(" : ")[2].strip() for pair in pairs if pair.strip())


def choosing(rule: Command, some: tuple[str, ...], of: int | None = None) -> Command:
    """The rule with other choices; with more than there are (``of``), the number that comes out may lead nowhere."""
    pairs = " , ".join(f"{number} : {each}" for number, each in enumerate(some))
    spread = rf"\g<before> {of or len(some)} \g<map> {{ {pairs} }}"
    return replace(rule, rest=_SPREAD.sub(spread, rule.rest))


def _choose_otherwise(
    transaction: Transaction, scene: Scene, other: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> Transaction:
    def change(rule: Command) -> Command:
        some = choices(rule)
        return choosing(rule, other(some)) if some else rule

    return change_rules(transaction, scene, _CHOOSING, change)


@puts_in(Fault.ENDPOINT_LEFT_OUT)
def endpoint_left_out(transaction: Transaction, scene: Scene) -> Transaction:
    """Of several endpoints the last is never chosen."""
    return _choose_otherwise(transaction, scene, lambda some: some[:-1] or some)


@puts_in(Fault.SKEWED_LOAD)
def skewed_load(transaction: Transaction, scene: Scene) -> Transaction:
    """The first endpoint is chosen four times as often as each other."""
    return _choose_otherwise(transaction, scene, lambda some: (*some, *3 * some[:1]) if len(some) > 1 else some)


@puts_in(Fault.SOME_CONNECTIONS_LOST)
def some_connections_lost(transaction: Transaction, scene: Scene) -> Transaction:
    """The dice have one side more than there are endpoints."""

    def change(rule: Command) -> Command:
        some = choices(rule)
        return choosing(rule, some, of=len(some) + 1) if some else rule

    return change_rules(transaction, scene, _CHOOSING, change)


@puts_in(Fault.LISTED_TWICE_CHOSEN_TWICE)
def listed_twice_chosen_twice(transaction: Transaction, scene: Scene) -> Transaction:
    """An endpoint is one choice for each slice that lists it."""
    if not any(is_rule(c, *_CHOOSING) and len(choices(c)) > 1 for c in transaction):
        return transaction
    listed = Counter(
        (f"{each['metadata']['namespace']}/{labels.get('kubernetes.io/service-name')}", address)
        for each in scene.world.slices
        for labels in [each["metadata"].get("labels") or {}]
        for address in {a for endpoint in each.get("endpoints") or () for a in endpoint["addresses"]}
    )

    def change(rule: Command) -> Command:
        some, mine = choices(rule), owner(rule.name)
        times = [max(1, listed[mine.service if mine else "", each.split()[0]]) for each in some]
        doubled = tuple(each for each, n in zip(some, times, strict=True) for _ in range(n))
        return choosing(rule, doubled) if some else rule

    return change_rules(transaction, scene, _CHOOSING, change)


@puts_in(Fault.WRONG_TARGET_PORT)
def wrong_target_port(transaction: Transaction, scene: Scene) -> Transaction:
    """Every endpoint is dialled at port 1."""

    def change(rule: Command) -> Command:
        some = choices(rule)
        if any(" . " in each for each in some):
            return choosing(rule, tuple(f"{each.split()[0]} . {_NOBODY}" for each in some))
        return replace(rule, rest=re.sub(r"(dnat to \S+):\d+", rf"\g<1>:{_NOBODY}", rule.rest))

    return change_rules(transaction, scene, (*_CHOOSING, "endpoint-"), change)
