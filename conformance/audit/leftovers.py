"""Chains, sets and rules that no claim accounts for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from conformance.audit.finding import Kind
from conformance.audit.frame import fixed_chains, fixed_containers
from conformance.audit.names import is_owned, owner
from conformance.audit.place import Place
from conformance.audit.report import Report
from conformance.audit.steps import Rule, containers, targets, told
from conformance.audit.table import Table
from conformance.audit.walk import AFFINITY_PREFIX, Walker
from conformance.spec import sources as cite


def compare_rest(
    table: Table, place: Place, walker: Walker, report: Report, pardoned: set[str], *, strict: bool
) -> None:
    """Report what is in the table for nothing; ``pardoned`` objects lost an address to others and may leave chains.

    kube-proxy empties a chain and deletes it a second later: an empty one that nothing refers to counts if ``strict``.
    """
    fixed, known_containers = fixed_chains(place), fixed_containers(place)
    referred = _referred(table, fixed)
    used: set[str] = set()
    for name, chain in table.chains.items():
        if name in referred or owner(name) in pardoned:
            used.update(*map(containers, chain.rules))
        if name in fixed:
            continue
        about = owner(name)
        if name in referred:
            _within(name, about, chain.rules, report)
        elif not is_owned(name):
            there = "; ".join(map(told, chain.rules)) or "an empty chain"
            report.add(Kind.FOREIGN, "", f"chain {name}", there, "", cite.NFTABLES_CODE)
        elif (chain.rules or strict) and about not in pardoned:
            there = f"{len(chain.rules)} rules that nothing refers to" if chain.rules else "an empty chain"
            report.add(Kind.LEAKED_CHAIN, about, f"chain {name}", there, "", cite.NFTABLES_CODE)
    for (name, index), rule in walker.strange.items():
        report.add(Kind.FOREIGN, owner(name), f"chain {name} rule {index + 1}", told(rule), "", cite.NFTABLES_CODE)
    for name in table.chains:
        for rule in walker.unreached(name):
            if not report.blames(owner(name)):
                there = f"{told(rule)}, to which no packet comes"
                report.add(Kind.FOREIGN, owner(name), f"chain {name}", there, "", cite.NFTABLES_CODE)
    for name in table.containers:
        if name in known_containers or name in used:
            continue
        kind = Kind.LEAKED_CHAIN if name.startswith(AFFINITY_PREFIX) else Kind.FOREIGN
        report.add(kind, owner(name), name, "a set or map that nothing uses", "", cite.NFTABLES_CODE)


def _referred(table: Table, fixed: Iterable[str]) -> set[str]:
    """The chains that packets can come into: base chains, what maps name, and what these go to."""
    found: set[str] = set(fixed) | {c.name for c in table.chains.values() if c.hook}
    for container in table.containers.values():
        found |= {e.verdict.target for e in container.elements.values() if e.verdict and e.verdict.target}
    waiting = list(found)
    while waiting:
        chain = table.chains.get(waiting.pop())
        for target in set().union(*map(targets, chain.rules)) if chain else ():
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _within(name: str, about: str, rules: list[Rule], report: Report) -> None:
    for rule, count in Counter(rules).items():
        if count > 1:
            there = f"{count} times {told(rule)}"
            report.add(Kind.DUPLICATED, about, f"chain {name}", there, "once", cite.NFTABLES_CODE)
